"""How fast `splitpose predict` is beside the model alone, and how long its first result takes.

    python benchmarks/predict.py [--models FILE ...] [--seconds 20] [--rounds 3]

Frames a second of the whole command on videos of 720 x 480 and 1920 x 1080 px, from the first frame read to the
last one written, over the runs a second of the model alone: same file, same number of threads, measured before and
after in the same round. Without --models it takes a final variant of the paper's size (224 px, full width, random
weights, whose person is not followed: it knows none) and, where `make repro` has made it, the sample's.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import moving_people
import numpy as np
from moving_people import Walk
from rich.console import Console
from rich.table import Table

from splitpose.inference import video_io
from splitpose.inference.runtime import Runtime
from splitpose.synthetic.poses import HEIGHT, WIDTH

RATE = 25.0
SIZES = ((WIDTH, HEIGHT), (1920, 1080))
SAMPLE = Path("models/final/float32.tflite")
ALONE_SECONDS = 2.0


@dataclass(frozen=True)
class Case:
    """A model file on a video, in some way."""

    name: str
    model: Path
    film: Path
    words: tuple[str, ...]
    threads: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=Path, nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--convert", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.convert:
        convert(options.convert)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        walk = moving_people.walk(np.random.default_rng(1), round(RATE * options.seconds), RATE)
        films = {size: render(folder / f"{size[0]}x{size[1]}.mp4", walk, size) for size in SIZES}
        cases = cases_of(options.models, folder, films, walk)
        show(cases, [[measured(case, folder / "out") for case in cases] for _ in range(options.rounds)])
        first_result(cases[0].model, films[SIZES[0]], folder, options.rounds)


def cases_of(given: list[Path], folder: Path, films: dict[tuple[int, int], Path], walk: Walk) -> list[Case]:
    """What is measured."""
    cases = []
    if not given:
        paper = folder / "paper.tflite"
        command = [sys.executable, __file__, "--convert", str(paper)]  # a process of its own: TensorFlow is large
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        for size in SIZES:
            for threads in (1, 2):
                words = ("--box", *box(walk, size), "--no-tracking")
                cases.append(Case("final, 224 px", paper, films[size], words, threads))
        given = [SAMPLE] if SAMPLE.is_file() else []
    for model in given:
        for size in SIZES:
            cases.append(Case(f"{model}, from a box", model, films[size], ("--box", *box(walk, size)), 1))
            cases.append(Case(f"{model}, searched", model, films[size], (), 1))
    return cases


def convert(path: Path) -> None:
    """Write the final variant at the paper's size."""
    import keras

    from splitpose import models
    from splitpose.export.tflite import convert_to_tflite

    keras.utils.set_random_seed(1)
    path.write_bytes(convert_to_tflite(models.build("final", 224, 1.0), "float32", np.empty(0)))


def box(walk: Walk, size: tuple[int, int]) -> tuple[str, ...]:
    """The person's first box in a video of this size."""
    x0, y0, x1, y1 = walk.box
    across, down = size[0] / WIDTH, size[1] / HEIGHT
    return tuple(f"{value:.1f}" for value in (x0 * across, y0 * down, x1 * across, y1 * down))


def render(path: Path, walk: Walk, size: tuple[int, int]) -> Path:
    """Write a video of this size."""
    with video_io.written(path, RATE, size) as writer:
        for frame in moving_people.frames_of([walk], seed=1):
            writer.write(frame if size == (WIDTH, HEIGHT) else cv2.resize(frame, size))
    return path


def measured(case: Case, out: Path) -> tuple[float, float]:
    """Frames a second of the command, runs a second of the model alone."""
    before = alone(case)
    words = [str(case.film), "--model", str(case.model), "--out", str(out), "--threads", str(case.threads)]
    printed = predicted([*words, *case.words])
    found = re.search(r"([\d.]+) frames/s$", printed, re.MULTILINE)
    assert found, printed
    return float(found[1]), (before + alone(case)) / 2


def alone(case: Case) -> float:
    """Runs a second of the model."""
    runtime = Runtime(case.model, case.threads)
    crop = np.random.default_rng(0).integers(0, 256, (1, runtime.size, runtime.size, 3), np.uint8)
    runtime.run(crop)
    runs, start = 0, perf_counter()
    while perf_counter() - start < ALONE_SECONDS:
        runtime.run(crop)
        runs += 1
    return runs / (perf_counter() - start)


def predicted(words: list[str]) -> str:
    """What `splitpose predict` prints."""
    command = [str(Path(sys.executable).with_name("splitpose")), "predict", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def first_result(model: Path, film: Path, folder: Path, rounds: int) -> None:
    """Print how long one picture takes from the start of the command to its end."""
    picture = folder / "picture.jpg"
    cv2.imwrite(str(picture), cv2.VideoCapture(str(film)).read()[1])
    times = []
    for _ in range(rounds):
        start = perf_counter()
        predicted([str(picture), "--model", str(model), "--out", str(folder / "first")])
        times.append(perf_counter() - start)
    Console().print(
        f"one picture, the whole command: {np.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})"
    )


def show(cases: list[Case], rounds: list[list[tuple[float, float]]]) -> None:
    """Print the medians of the rounds."""
    table = Table("model", "video", "threads", "frames/s", "model alone, runs/s", "share")
    for case, figures in zip(cases, np.array(rounds).swapaxes(0, 1), strict=True):
        frames, runs = np.median(figures, axis=0)
        shares = 100 * figures[:, 0] / figures[:, 1]
        share = f"{np.median(shares):.0f} % ({shares.min():.0f} to {shares.max():.0f})"
        table.add_row(case.name, case.film.stem, str(case.threads), f"{frames:.1f}", f"{runs:.1f}", share)
    Console(width=116).print(table)


if __name__ == "__main__":
    main()
