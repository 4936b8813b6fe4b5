"""How well a person is found in a whole picture without a box, and how many looks it takes.

    python benchmarks/searching.py [--model models/final/float32.tflite] [--split val]

People of data/ who are alone in their picture: a look at the whole picture, searches with squares of more and more
sizes, the last of which is what `splitpose predict` does, and a look at the square of the true joints, which is the
most that a search could reach. Intervals are over people.
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
from splitpose.inference import pose_model as models
from splitpose.inference.pose_model import Look
from splitpose.inference.sliding_window import SIDES, region_around_joints, search
from splitpose.progress import track

DATA = Path("data")
THRESHOLD = 0.2
Way = Callable[[ImagePyramid, tuple[int, int], np.ndarray], Look]
"""Looks at somebody in a picture of a (width, height), who truly is where these joints (K, 2) are."""


class Counting:
    """A model that counts its looks."""

    def __init__(self, path: Path):
        self._model = models.load(path)
        self.around = region_around_joints(self._model.joints_margin)
        self.count = 0

    def look(self, picture: ImagePyramid, region: CropRegion) -> Look:
        """See Model.look."""
        self.count += 1
        return self._model.look(picture, region)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("models/final/float32.tflite"))
    parser.add_argument("--split", choices=("train", "val"), default="val")
    options = parser.parse_args()
    people = annotations.read(DATA / "annotations" / "annotations.parquet")
    people = people[people.split == options.split]
    people = people[~people.image.duplicated(keep=False)]
    truth = annotations.joints_of(people)
    model = Counting(options.model)
    table = Table("looked at", "PCK@0.2 (95 %)", "looks", "ms", title=f"{len(people)} {options.split} people")
    for name, way in ways(model).items():
        model.count, seconds, found = 0, 0.0, []
        for image, joints in zip(track(people.image, name, len(people), "people"), truth, strict=True):
            pixels = images.read(DATA / image)
            start = perf_counter()
            found.append(way(ImagePyramid(pixels), pixels.shape[1::-1], joints).joints)
            seconds += perf_counter() - start
        looks, ms = model.count / len(people), 1000 * seconds / len(people)
        table.add_row(name, score(normalised_errors(truth, np.stack(found))), f"{looks:.0f}", f"{ms:.1f}")
    Console().print(table)


def ways(model: Counting) -> dict[str, Way]:
    """What is compared."""
    compared: dict[str, Way] = {
        "the whole picture": lambda picture, size, _: model.look(picture, full_image_region(*size))
    }
    for count in range(1, len(SIDES) + 1):
        compared[f"searched, sizes: {count}"] = partial(searched, model, SIDES[:count])
    compared["the true joints' square"] = lambda picture, _, joints: model.look(picture, model.around(joints))
    return compared


def searched(
    model: Counting, sides: Sequence[float], picture: ImagePyramid, size: tuple[int, int], joints: np.ndarray
) -> Look:
    """Whom a search finds, wherever they truly are."""
    found = search(model, picture, size, model.around, sides=sides)
    assert found is not None  # nobody is taken
    return found


def score(errors: np.ndarray) -> str:
    """PCK@0.2 of errors (N, K) with its interval, percent."""
    shares = 100 * (errors <= THRESHOLD).mean(axis=1)
    means = resampled_sums(shares[:, None], 10_000, 0)[:, 0] / len(shares)
    low, high = interval(means)
    return f"{means[0]:.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()
