"""The CSV of predictions: one row for each person in an image, or in a frame of a video.

`splitpose score` and other readers require only `id` and the joint columns.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from splitpose.files import atomic_file
from splitpose.inference.pose_model import Prediction
from splitpose.inference.video_io import Frame
from splitpose.skeleton import JOINTS

HEADER = (
    *("id", "image", "frame", "seconds", "region_x", "region_y", "region_side"),
    *(f"{joint}_{axis}" for joint in JOINTS for axis in "xy"),
    *(f"{joint}_confidence" for joint in JOINTS),
)
"""`image` is the input's name, `frame` counts from 0; centre and side of the crop region are in px.

Positions are in px of the image with pixel centres at integers. Missing values are empty.
"""


class PredictionsWriter:
    """Writes rows as they are added."""

    def __init__(self, writer: Any):
        self._writer = writer
        self.rows = 0
        self.empty_rows = 0
        """Number of rows without a person."""

    def add(self, id: str, image: str, prediction: Prediction, frame: Frame | None = None) -> None:
        """Write the row of a person's prediction in an image, or in a frame of a video."""
        region = prediction.region
        numbers = [
            frame.seconds if frame else None,
            *((region.x, region.y, region.side) if region else (None, None, None)),
            *prediction.joints.ravel().tolist(),
            *prediction.confidence.tolist(),
        ]
        self._writer.writerow([id, image, frame.number if frame else None, *map(_format, numbers)])
        self.rows += 1
        self.empty_rows += region is None


@contextmanager
def open_predictions(path: Path) -> Iterator[PredictionsWriter]:
    """Open a CSV for writing; it is at `path` only once it is complete."""
    with atomic_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        yield PredictionsWriter(writer)


def _format(number: float | None) -> str:
    return "" if number is None or number != number else f"{number:.3f}"
