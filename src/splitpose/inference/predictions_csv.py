"""The CSV of predictions: one row for each person in an image, or in a frame of a video.

`splitpose score` and other readers require only `id` and the joint columns.
"""

import csv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

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
    """Writes each row as it is added, so that an interrupted command keeps the rows so far.

    The file is created, or replaced, with the first row.
    """

    def __init__(self, path: Path, files: ExitStack):
        self._path = path
        self._files = files
        self._writer: Any = None
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
        self._open()
        self._writer.writerow([id, image, frame.number if frame else None, *map(_format, numbers)])
        self.rows += 1
        self.empty_rows += region is None

    def _open(self) -> None:
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lines = self._path.open("w", buffering=1, newline="", encoding="utf-8")  # each line is written at once
            self._writer = csv.writer(self._files.enter_context(lines), lineterminator="\n")
            self._writer.writerow(HEADER)


@contextmanager
def open_predictions(path: Path) -> Iterator[PredictionsWriter]:
    """Open a CSV for writing; rows are kept if an error interrupts it."""
    with ExitStack() as files:
        yield PredictionsWriter(path, files)


def _format(number: float | None) -> str:
    return "" if number is None or number != number else f"{number:.3f}"
