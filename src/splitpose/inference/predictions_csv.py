"""The CSV of predictions: a row a person and picture, or a person and frame of a video.

`splitpose score` and other readers need `id` and the joints' columns alone.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from splitpose.crops.geometry import CropRegion
from splitpose.files import atomic_file
from splitpose.skeleton import JOINTS

HEADER = (
    *("id", "image", "frame", "seconds", "square_x", "square_y", "square_side"),
    *(f"{joint}_{axis}" for joint in JOINTS for axis in "xy"),
    *(f"{joint}_confidence" for joint in JOINTS),
)
"""`image` is the input's name; `frame` counts from 0; the square, middle and side in px, is what was looked at.

All positions are px of the picture, pixel centres at integers. What there is not is empty.
"""


class Table:
    """Rows that are written as they come."""

    def __init__(self, writer: Any):
        self._writer = writer
        self.count = 0

    def add(
        self,
        id: str,
        image: str,
        region: CropRegion | None,
        joints: np.ndarray,
        confidence: np.ndarray,
        frame: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """A row: joints (K, 2) px and confidences (K,), both NaN where there are none."""
        square = (region.x, region.y, region.side) if region else (None, None, None)
        numbers = [seconds, *square, *joints.ravel().tolist(), *confidence.tolist()]
        self._writer.writerow([id, image, frame, *map(_text, numbers)])
        self.count += 1


@contextmanager
def written(path: Path) -> Iterator[Table]:
    """A table that is in its place when all went well."""
    with atomic_file(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        yield Table(writer)


def _text(number: float | None) -> str:
    return "" if number is None or number != number else f"{number:.3f}"
