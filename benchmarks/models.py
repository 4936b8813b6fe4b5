"""Measure the latency of the variants' TFLite files at the paper's size, relative to each other.

    python benchmarks/models.py [--size 224] [--width 1.0] [--rounds 7] [--target local] [--json FILE]

The files have random weights, and BatchNorm statistics of noise. Every round times every file once, with one
thread, and divides its p50 by that of the baseline's float32 file; the table contains the median and range of the
rounds.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from splitpose.benchmark.measure import measure
from splitpose.benchmark.operator_timings import total_by_name
from splitpose.benchmark.schema import ModelBenchmark
from splitpose.benchmark.targets import BenchmarkOptions, open_target
from splitpose.files import write_json

VARIANTS = ("baseline", "no_gap", "split", "final", "final shared")
PRECISIONS = ("float32", "float16", "int8")


def main() -> None:
    """Convert the variants, measure their latency and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--target", default="local")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--convert", nargs=2, metavar=("VARIANT", "DIR"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.convert:
        convert(options.convert[0], Path(options.convert[1]), options.size, options.width)
        return
    with tempfile.TemporaryDirectory() as folder:
        for variant in VARIANTS:  # one process each, because the converter does not release its memory
            size, width = ("--size", str(options.size)), ("--width", str(options.width))
            command = [sys.executable, __file__, *size, *width, "--convert", variant, folder]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        files = {name: Path(folder) / f"{name}.tflite" for name in names()}
        with open_target(options.target) as target:
            rounds = [
                measure(target, files, BenchmarkOptions(runs=options.runs)).models for _ in range(options.rounds)
            ]
    if options.json:
        write_json({name: ratios(rounds, name).tolist() for name in names()}, options.json)
    show(rounds)


def names() -> list[str]:
    """Return the names of all files."""
    return [f"{variant} {precision}" for variant in VARIANTS for precision in PRECISIONS]


def convert(variant: str, folder: Path, size: int, width: float) -> None:
    """Write the three files of a variant."""
    import keras

    from splitpose import models
    from splitpose.export.tflite import convert_to_tflite

    keras.utils.set_random_seed(1)
    name, _, split = variant.partition(" ")
    model = models.build(name, size, width, momentum=0.0, split=split or "sliced")
    noise = np.random.default_rng(1).integers(0, 256, (8, size, size, 3), np.uint8)
    model(noise.astype(np.float32), training=True)
    for precision in PRECISIONS:
        path = folder / f"{variant} {precision}.tflite"
        path.write_bytes(convert_to_tflite(model, precision, noise))


def ratios(rounds: list[dict[str, ModelBenchmark]], name: str, base: str = "baseline float32") -> np.ndarray:
    """Return the ratio of a file's p50 to that of another in each round."""
    return np.array([results[name].p50_ms / results[base].p50_ms for results in rounds])


def show(rounds: list[dict[str, ModelBenchmark]]) -> None:
    """Print the table, and the operator timings of baseline and final."""
    table = Table("file", "p50 ms", "/ baseline float32", "own float32 / file", "MMACs", "share of peak", "MB")
    for name in names():
        last = rounds[-1][name]
        to_baseline = ratios(rounds, name)
        speedup = ratios(rounds, f"{name.rpartition(' ')[0]} float32", name)
        table.add_row(
            name,
            f"{np.median([results[name].p50_ms for results in rounds]):.2f}",
            f"{np.median(to_baseline):.2f} ({to_baseline.min():.2f} to {to_baseline.max():.2f})",
            f"{np.median(speedup):.2f} ({speedup.min():.2f} to {speedup.max():.2f})",
            f"{last.macs / 1e6:.0f}",
            f"{last.share_of_float32_peak or 0:.2f}",
            f"{last.bytes / 1e6:.2f}",
        )
    console = Console(width=116)
    console.print(table)
    for name in ("baseline float32", "final float32", "final int8"):
        console.print(f"\n{name}, by XNNPACK's operators:")
        for operator, count, ms in total_by_name(rounds[-1][name].operator_timings):
            console.print(f"  {ms:7.3f} ms  {count:3d} x {operator}")


if __name__ == "__main__":
    main()
