"""Latency, memory and operators of TFLite files on a target device."""

from collections.abc import Mapping
from pathlib import Path

from splitpose.benchmark.schema import Benchmark, Figures, Latency, Speed
from splitpose.benchmark.targets.target import Options, Target
from splitpose.benchmark.tflite_operators import content


def measure(target: Target, models: Mapping[str, Path], options: Options) -> Benchmark:
    """Measure each file on a target, one after the other.

    Args:
        target: the device.
        models: one or more TFLite files under the names that their figures get.
        options: how.

    Raises InputError naming the file or the device, before any is measured where a file is at fault.
    """
    contents = {name: content(path) for name, path in models.items()}
    runs = {name: target.run(path, contents[name].inputs, options) for name, path in models.items()}
    figures = {}
    for name, run in runs.items():
        file = contents[name]
        speeds = [_speed(latency, file.multiply_adds) for latency in run.by_threads]
        figures[name] = Figures(
            **speeds[0].model_dump(),
            **run.model_dump(exclude={"device", "by_threads"}),
            by_threads=speeds,
            init_ms=round(run.load_ms + run.first_run_ms, 3),
            warmup_runs=options.warmup_runs,
            bytes=file.bytes,
            sha256=file.sha256,
            multiply_adds=file.multiply_adds,
            operators=list(file.operators),
        )
    device = next(iter(runs.values())).device
    return Benchmark.model_validate({"device": device} | figures)


def _speed(latency: Latency, multiply_adds: int) -> Speed:
    """Operations a second, and what share that is of the device's float32 peak."""
    gflops = 2 * multiply_adds / (latency.p50_ms * 1e6) if latency.p50_ms else 0.0
    peak = latency.float32_peak_gflops
    share = round(gflops / peak, 3) if peak else None
    return Speed(**latency.model_dump(), gflops=round(gflops, 2), share_of_float32_peak=share)
