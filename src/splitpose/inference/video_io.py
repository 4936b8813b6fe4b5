"""Video files: their frames one after the other, and a file written frame by frame.

Frames are turned upright as the file says. A file is written in MPEG-4 (`mp4v`), the one codec that every build of
OpenCV writes; sound is not kept.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from splitpose.errors import InputError
from splitpose.files import atomic_file

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what is wrong with a file is told here, in one line

FASTEST = 1000.0
"""Frames a second; what a file states beyond it is a clock's rate and not that of its frames."""

ASSUMED_RATE = 30.0
"""Where a file states none."""

ALMOST_ALL = 0.95
"""Of the frames that a file promises: some promise by their duration, so that a few may be missing."""

LARGEST_COUNT = 65535
"""MPEG-4 counts no further in a fraction."""


@dataclass(frozen=True)
class Frame:
    """A frame (H, W, 3) uint8 BGR, its number from 0, and when it is shown, seconds."""

    number: int
    seconds: float
    pixels: np.ndarray


class Video:
    """A video file that is read from its beginning to its end, once.

    Raises InputError naming a file without a frame that can be read.
    """

    def __init__(self, path: Path):
        self.path = path
        self._capture = cv2.VideoCapture(str(path))
        is_read, first = self._capture.read()
        if not is_read:
            raise InputError(f"{path}: no video, damaged or of a kind that cannot be read; give an MP4 file, say")
        self._first: np.ndarray = first
        self.read = 0
        stated = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = stated if 0 < stated <= FASTEST else ASSUMED_RATE
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.promised = int(count) if count > 0 and self.rate == stated else None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px of the frames."""
        height, width = self._first.shape[:2]
        return width, height

    def frames(self) -> Iterator[Frame]:
        """All frames."""
        pixels = self._first
        is_read = True
        while is_read:
            yield Frame(self.read, self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, pixels)
            self.read += 1
            is_read, pixels = self._capture.read()
        self._capture.release()

    def what_is_missing(self) -> str | None:
        """After all frames: that the file ends before it should, or None."""
        if self.promised is None or self.read >= ALMOST_ALL * self.promised or _ends_whole(self.path):
            return None
        return (
            f"{self.path}: is cut short, {self.read} of {self.promised} frames could be read; those are predicted"
        )


@contextmanager
def written(path: Path, rate: float, size: tuple[int, int]) -> Iterator[cv2.VideoWriter]:
    """A new video that frames of a (width, height) are written to; it is there when all went well.

    An odd width or height loses its last column or row, as MPEG-4 has even ones only. Raises InputError naming the
    file where it cannot be written.
    """
    with atomic_file(path) as beside:
        writer = cv2.VideoWriter(str(beside), cv2.VideoWriter.fourcc(*"mp4v"), _writable(rate), size)
        try:
            yield writer
        finally:
            writer.release()
        if not _has_frames(beside):
            raise InputError(
                f"{path}: could not be written; is there room, and are {size[0]} x {size[1]} px too few?"
            )


def _writable(rate: float) -> float:
    """The nearest rate that MPEG-4 can state."""
    return float(Fraction(rate).limit_denominator(max(1, int(LARGEST_COUNT / rate))))


def _has_frames(path: Path) -> bool:
    """Whether a file that was written can be read: OpenCV's writer says nothing when it fails."""
    capture = cv2.VideoCapture(str(path))
    try:
        return bool(capture.grab())
    finally:
        capture.release()


def _ends_whole(path: Path) -> bool:
    """Whether a file is an MP4 or MOV whose last part ends where the file does.

    Then frames are not missing but left out: those that were cut off with a phone are still counted.
    """
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[8:16] if head[:4] == b"\0\0\0\1" else head[:4])
            if length < 8:
                return False
            at += length
    return at == size
