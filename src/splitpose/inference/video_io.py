"""Reading and writing of video files, frame by frame.

Frames are rotated upright as the file's metadata states. Files are written as MPEG-4 (`mp4v`), the one codec that
every build of OpenCV can write, without sound.
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

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # errors are reported by this module, in one line

MAX_FPS = 1000.0
"""Higher stated rates are not frame rates but those of a clock."""

DEFAULT_FPS = 30.0
"""Frame rate of files that do not state a valid one."""

MIN_READ_RATIO = 0.95
"""Fraction of the stated frames that must be readable: some files state a few frames more than they contain."""

MAX_TIME_SCALE = 65535
"""Largest numerator and denominator of a frame rate in MPEG-4."""


@dataclass(frozen=True)
class Frame:
    """A frame (H, W, 3) uint8 BGR, its number from 0, and its time in seconds."""

    number: int
    seconds: float
    pixels: np.ndarray


class Video:
    """A video file that is read once from beginning to end.

    Raises:
        InputError: no frame can be read.
    """

    def __init__(self, path: Path):
        self.path = path
        self._capture = cv2.VideoCapture(str(path))
        is_read, first = self._capture.read()
        if not is_read:
            raise InputError(f"{path}: not a readable video; give an MP4 file, for example")
        self._first: np.ndarray = first
        self.frames_read = 0
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= MAX_FPS else DEFAULT_FPS
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.stated_frames = int(count) if count > 0 and self.fps == fps else None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames in px."""
        height, width = self._first.shape[:2]
        return width, height

    def frames(self) -> Iterator[Frame]:
        """Yield all frames."""
        pixels = self._first
        is_read = True
        while is_read:
            yield Frame(self.frames_read, self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, pixels)
            self.frames_read += 1
            is_read, pixels = self._capture.read()
        self._capture.release()

    def truncation_warning(self) -> str | None:
        """Return a warning if the file is truncated, else None; call it after all frames were read."""
        stated = self.stated_frames
        if stated is None or self.frames_read >= MIN_READ_RATIO * stated or _is_complete_mp4(self.path):
            return None
        return f"{self.path}: is truncated; only {self.frames_read} of {stated} frames could be read and predicted"


@contextmanager
def video_writer(path: Path, fps: float, size: tuple[int, int]) -> Iterator[cv2.VideoWriter]:
    """Open a new video for writing frames of (width, height) px; it is at `path` only once it is complete.

    An odd width or height loses its last column or row, as MPEG-4 requires even ones.

    Raises:
        InputError: the video cannot be written.
    """
    with atomic_file(path) as temporary:
        writer = cv2.VideoWriter(str(temporary), cv2.VideoWriter.fourcc(*"mp4v"), _representable_fps(fps), size)
        try:
            yield writer
        finally:
            writer.release()
        if not _has_frames(temporary):
            raise InputError(
                f"{path}: could not be written; check the free disk space and the size of {size[0]} x {size[1]} px"
            )


def _representable_fps(fps: float) -> float:
    """Return the nearest frame rate that MPEG-4 can represent."""
    return float(Fraction(fps).limit_denominator(max(1, int(MAX_TIME_SCALE / fps))))


def _has_frames(path: Path) -> bool:
    """Return whether a written file can be read: OpenCV's writer does not report errors."""
    capture = cv2.VideoCapture(str(path))
    try:
        return bool(capture.grab())
    finally:
        capture.release()


def _is_complete_mp4(path: Path) -> bool:
    """Return whether a file is an MP4 or MOV whose last box ends at the end of the file.

    Such a file is not truncated: the stated number still includes frames that were trimmed on a phone.
    """
    size, offset = path.stat().st_size, 0
    with path.open("rb") as file:
        while offset < size:
            file.seek(offset)
            head = file.read(16)
            length = int.from_bytes(head[8:16] if head[:4] == b"\0\0\0\1" else head[:4])
            if length < 8:
                return False
            offset += length
    return offset == size
