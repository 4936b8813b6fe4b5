"""Measure the speed of `splitpose predict` compared with the model alone, and the time to the first result.

    python benchmarks/predict.py [--models FILE ...] [--seconds 20] [--rounds 3]

Measures the frames per second of the entire command on videos of 720 x 480 and 1920 x 1080 px, from the first frame
read to the last one written, divided by the runs per second of the model alone: same file, same number of threads,
measured before and after the command. Without --models it measures a final variant of the paper's size (224 px,
full width, random weights; without tracking, because it detects no person) and, if `make repro` has built it, the
sample's model.
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
import numpy as np
import rendered_videos
from model_speed import measure_model
from rendered_videos import Motion
from rich.console import Console
from rich.table import Table

from splitpose.inference.video_writer import video_writer
from splitpose.synthetic.poses import HEIGHT, WIDTH

FPS = 25.0
SIZES = ((WIDTH, HEIGHT), (1920, 1080))
SAMPLE = Path("models/final/float32.tflite")
MODEL_SECONDS = 2.0
"""Duration of a measurement of the model alone."""


@dataclass(frozen=True)
class Case:
    """A model file on a video, with options of the command."""

    name: str
    model: Path
    video: Path
    arguments: tuple[str, ...]
    threads: int


def main() -> None:
    """Measure the speed and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=Path, nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--convert", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.convert:
        convert(options.convert)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        motion = rendered_videos.draw_motion(np.random.default_rng(1), round(FPS * options.seconds), FPS)
        videos = {size: render(folder / f"{size[0]}x{size[1]}.mp4", motion, size) for size in SIZES}
        cases = build_cases(options.models, folder, videos, motion)
        show(cases, [[measure(case, folder / "out") for case in cases] for _ in range(options.rounds)])
        measure_first_result(cases[0].model, videos[SIZES[0]], folder, options.rounds)


def build_cases(
    models: list[Path], folder: Path, videos: dict[tuple[int, int], Path], motion: Motion
) -> list[Case]:
    """Return the cases to measure."""
    cases = []
    if not models:
        paper = folder / "paper.tflite"
        command = [
            sys.executable,
            __file__,
            "--convert",
            str(paper),
        ]  # in its own process, because TensorFlow requires much memory
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        for size in SIZES:
            for threads in (1, 2):
                arguments = ("--box", *first_bbox(motion, size), "--no-tracking")
                cases.append(Case("final, 224 px", paper, videos[size], arguments, threads))
        models = [SAMPLE] if SAMPLE.is_file() else []
    for model in models:
        for size in SIZES:
            box = ("--box", *first_bbox(motion, size))
            cases.append(Case(f"{model}, from a box", model, videos[size], box, 1))
            cases.append(Case(f"{model}, searched", model, videos[size], (), 1))
    return cases


def convert(path: Path) -> None:
    """Write the final variant at the paper's size."""
    import keras

    from splitpose import models
    from splitpose.export.tflite import convert_to_tflite

    keras.utils.set_random_seed(1)
    path.write_bytes(convert_to_tflite(models.build("final", 224, 1.0), "float32", np.empty(0)))


def first_bbox(motion: Motion, size: tuple[int, int]) -> tuple[str, ...]:
    """Return the person's box in the first frame of a video of this size."""
    x0, y0, x1, y1 = motion.bbox
    scale_x, scale_y = size[0] / WIDTH, size[1] / HEIGHT
    return tuple(f"{value:.1f}" for value in (x0 * scale_x, y0 * scale_y, x1 * scale_x, y1 * scale_y))


def render(path: Path, motion: Motion, size: tuple[int, int]) -> Path:
    """Write a video of this size."""
    with video_writer(path, FPS, size) as writer:
        for frame in rendered_videos.render_frames([motion], seed=1):
            writer.write(frame if size == (WIDTH, HEIGHT) else cv2.resize(frame, size))
    return path


def measure(case: Case, out: Path) -> tuple[float, float]:
    """Return the frames per second of the command, and the runs per second of the model alone."""
    before = measure_model(case.model, case.threads, MODEL_SECONDS)
    arguments = [str(case.video), "--model", str(case.model), "--out", str(out), "--threads", str(case.threads)]
    printed = run_predict([*arguments, *case.arguments])
    match = re.search(r"([\d.]+) frames/s$", printed, re.MULTILINE)
    assert match, printed
    return float(match[1]), (before + measure_model(case.model, case.threads, MODEL_SECONDS)) / 2


def run_predict(arguments: list[str]) -> str:
    """Run `splitpose predict` and return what it prints."""
    command = [str(Path(sys.executable).with_name("splitpose")), "predict", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measure_first_result(model: Path, video: Path, folder: Path, rounds: int) -> None:
    """Print the duration of the command for one image."""
    image = folder / "image.jpg"
    cv2.imwrite(str(image), cv2.VideoCapture(str(video)).read()[1])
    times = []
    for _ in range(rounds):
        start = perf_counter()
        run_predict([str(image), "--model", str(model), "--out", str(folder / "first")])
        times.append(perf_counter() - start)
    Console().print(f"one image, entire command: {np.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})")


def show(cases: list[Case], rounds: list[list[tuple[float, float]]]) -> None:
    """Print the medians of the rounds."""
    table = Table("model", "video", "threads", "frames/s", "model alone, runs/s", "ratio")
    for case, results in zip(cases, np.array(rounds).swapaxes(0, 1), strict=True):
        frames, runs = np.median(results, axis=0)
        ratios = 100 * results[:, 0] / results[:, 1]
        ratio = f"{np.median(ratios):.0f} % ({ratios.min():.0f} to {ratios.max():.0f})"
        table.add_row(case.name, case.video.stem, str(case.threads), f"{frames:.1f}", f"{runs:.1f}", ratio)
    Console(width=116).print(table)


if __name__ == "__main__":
    main()
