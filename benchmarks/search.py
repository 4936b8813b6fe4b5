"""Measure the accuracy and cost of the sliding-window search for a person in an image.

    python benchmarks/search.py [--model models/final/float32.tflite] [--split val]

Compares, on people of data/ who are alone in their image, prediction in the whole image, search with windows of
one, two and three sizes (`splitpose predict` uses three in images), and prediction in the region of the true
joints, which is the upper bound of the search. Intervals are bootstrap intervals over people.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table

from splitpose import annotations, images
from splitpose.crops.geometry import CropRegion, ImagePyramid, full_image_region
from splitpose.evaluation.bootstrap import interval, resampled_sums
from splitpose.evaluation.pck import normalised_errors
from splitpose.inference.pose_model import PoseModel, Prediction
from splitpose.inference.sliding_window import WINDOW_SIDES, joints_crop_policy, search
from splitpose.progress import track

DATA = Path("data")
THRESHOLD = 0.2
Method = Callable[[ImagePyramid, tuple[int, int], np.ndarray], Prediction]
"""Predicts the person in an image of (width, height) whose true joints (K, 2) are given."""


class CountingModel:
    """A model that counts its runs."""

    def __init__(self, path: Path):
        self._model = PoseModel.load(path)
        self.crop_policy = joints_crop_policy(self._model.joints_padding)
        self.runs = 0

    def predict_region(self, image: ImagePyramid, region: CropRegion) -> Prediction:
        """See PoseModel.predict_region."""
        self.runs += 1
        return self._model.predict_region(image, region)


def main() -> None:
    """Measure the methods and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("models/final/float32.tflite"))
    parser.add_argument("--split", choices=("train", "val"), default="val")
    options = parser.parse_args()
    rows = annotations.read(DATA / "annotations" / "annotations.parquet")
    rows = rows[rows.split == options.split]
    rows = rows[~rows.image.duplicated(keep=False)]
    ground_truth = annotations.joints_of(rows)
    model = CountingModel(options.model)
    table = Table("region", "PCK@0.2 (95 %)", "runs", "ms", title=f"{len(rows)} {options.split} people")
    for name, method in methods(model).items():
        model.runs, seconds, predicted = 0, 0.0, []
        for path, joints in zip(track(rows.image, name, len(rows), "people"), ground_truth, strict=True):
            pixels = images.read(DATA / path)
            start = perf_counter()
            predicted.append(method(ImagePyramid(pixels), pixels.shape[1::-1], joints).joints)
            seconds += perf_counter() - start
        runs, ms = model.runs / len(rows), 1000 * seconds / len(rows)
        errors = normalised_errors(ground_truth, np.stack(predicted))
        table.add_row(name, format_pck(errors), f"{runs:.0f}", f"{ms:.1f}")
    Console().print(table)


def methods(model: CountingModel) -> dict[str, Method]:
    """Return the methods to compare, by name."""
    compared: dict[str, Method] = {
        "whole image": lambda image, size, _: model.predict_region(image, full_image_region(*size))
    }
    for count in range(1, len(WINDOW_SIDES) + 1):
        compared[f"search, window sizes: {count}"] = partial(search_person, model, WINDOW_SIDES[:count])
    compared["true joints"] = lambda image, _, joints: model.predict_region(image, model.crop_policy(joints))
    return compared


def search_person(
    model: CountingModel, sides: Sequence[float], image: ImagePyramid, size: tuple[int, int], joints: np.ndarray
) -> Prediction:
    """Return the result of a search; `joints`, the true ones, are not used."""
    prediction = search(model, image, size, model.crop_policy, sides=sides)
    assert prediction is not None  # no region is excluded
    return prediction


def format_pck(errors: np.ndarray) -> str:
    """Return the PCK@0.2 of errors (N, K) with its interval, percent."""
    pcks = 100 * (errors <= THRESHOLD).mean(axis=1)
    means = resampled_sums(pcks[:, None], 10_000, 0)[:, 0] / len(pcks)
    low, high = interval(means)
    return f"{means[0]:.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()
