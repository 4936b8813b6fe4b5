"""Reading of video files, frame by frame, with FFmpeg.

Frames are rotated upright as the file's metadata states, and deinterlaced if they are interlaced. Pixels that are
not square are kept: positions are in px of the stored frames. Frames that the decoder reports as damaged are left
out.
"""

import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from splitpose.errors import InputError, one_line, printable
from splitpose.inference.deinterlace import Deinterlacer

MAX_FPS = 1000.0
"""Higher stated rates are not frame rates but those of a clock."""

DEFAULT_FPS = 30.0
"""Frame rate of files that do not state a valid one."""

MIN_READ_RATIO = 0.95
"""Fraction of the stated frames that must be readable: some files state a few frames more than they contain."""

ROTATIONS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}
"""OpenCV's codes by the angle of a display matrix, counterclockwise."""

REMEDY = "provide a complete file, for example MP4 with H.264"
MAX_PIXEL_ASPECT = 4
"""Larger ratios of a pixel's sides, and their inverses, are not stated by the file."""

UNKNOWN_CODEC = re.compile(r"Video: (?:none|unknown) \((.+?) /")
"""FFmpeg's description of a stream without a decoder: its code of four characters."""

SQUARE = Fraction(1)


@dataclass(frozen=True)
class Frame:
    """A frame (H, W, 3) uint8 BGR, its number from 0, and its time after the first frame in seconds."""

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
        self._container, self._stream, self.notes = _open(path)
        self._timing = _Timing(self._stream, self._container)
        self.frames_read = 0
        self._left_out = 0
        self._reason = ""
        frames = self._frames()
        first = next(frames, None)
        if first is None:
            raise InputError(f"{printable(path)}: not a readable video ({self._reason or 'no frames'}); {REMEDY}")
        self._first, self._others = first, frames

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames in px."""
        height, width = self._first.pixels.shape[:2]
        return width, height

    @property
    def fps(self) -> float:
        """Mean frame rate in frames/s."""
        return self._timing.fps

    @property
    def stated_frames(self) -> int | None:
        """Number of frames that the file states, None if it states none."""
        return self._timing.stated_frames

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel over its height."""
        stated = self._stream.sample_aspect_ratio or SQUARE
        if not 1 / MAX_PIXEL_ASPECT <= stated <= MAX_PIXEL_ASPECT:
            return SQUARE
        return 1 / stated if self._rotation in (90, 270) else stated

    def frames(self) -> Iterator[Frame]:
        """Yield all frames."""
        try:
            for frame in chain([self._first], self._others):
                yield frame
                self.frames_read += 1
        finally:
            self._container.close()

    def damage_warning(self) -> str | None:
        """Return a warning if the file is damaged or truncated, else None; call it after all frames were read."""
        stated = self.stated_frames
        reason = f" ({self._reason})" if self._reason else ""
        found = self.frames_read + self._left_out
        is_short = stated is not None and found < min(MIN_READ_RATIO * stated, stated - 1)
        if is_short and not _is_complete_mp4(self.path):
            problem = (
                f"is truncated; only {self.frames_read} of {stated} frames could be read and predicted{reason}"
            )
        elif self._left_out or reason:
            problem = (
                f"is damaged; {self._left_out} frame(s) could not be decoded{reason} and were left out, and those "
                "up to the next key frame can be distorted"
            )
        else:
            return None
        return f"{printable(self.path)}: {problem}"

    def _frames(self) -> Iterator[Frame]:
        """Yield the frames that are not damaged."""
        stamps: deque[tuple[int, float]] = deque()
        deinterlacer = Deinterlacer()
        size: tuple[int, int] | None = None
        for number, decoded in enumerate(self._decoded_frames()):
            seconds = self._timing.seconds(decoded)
            if decoded.is_corrupt:
                self._left_out += 1
                continue
            if size is None:
                size = (decoded.width, decoded.height)
                self._rotation = decoded.rotation % 360
            stamps.append((number, seconds))
            for frame in deinterlacer.push(decoded):
                yield Frame(*stamps.popleft(), _to_bgr(frame, size, self._rotation))
        for frame in deinterlacer.flush():
            assert size
            yield Frame(*stamps.popleft(), _to_bgr(frame, size, self._rotation))

    def _decoded_frames(self) -> Iterator[av.VideoFrame]:
        """Yield all frames; the decoder's errors are recorded, and decoding continues as in players."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError as error:
                self._reason = self._reason or _text(error)
                packet = None
            try:
                yield from self._stream.decode(packet)
            except av.error.EOFError:  # the decoder was flushed by the last packet
                pass
            except FFmpegError as error:
                self._reason = self._reason or _text(error)
                self._left_out += 1
            if packet is None:
                return


class _Timing:
    """Frame rate, number and times of the frames of a stream."""

    def __init__(self, stream: VideoStream, container: InputContainer):
        rates = (stream.average_rate, stream.guessed_rate)
        valid = [float(rate) for rate in rates if rate and 0 < rate <= MAX_FPS]
        self.fps = valid[0] if valid else DEFAULT_FPS
        self.stated_frames = self._stated_frames(stream, container) if valid else None
        self._start: float | None = None
        self._previous = -1 / self.fps

    def seconds(self, frame: av.VideoFrame) -> float:
        """Return a frame's time after the first one; without a valid time, the one of a constant frame rate."""
        time = frame.time if frame.pts is not None else None
        if time is not None and self._start is None:
            self._start = time - (self._previous + 1 / self.fps)
        seconds = -1.0 if time is None or self._start is None else time - self._start
        self._previous = seconds if seconds > self._previous else self._previous + 1 / self.fps
        return self._previous

    def _stated_frames(self, stream: VideoStream, container: InputContainer) -> int | None:
        if stream.frames:
            return stream.frames
        if stream.duration and stream.time_base:
            return round(stream.duration * stream.time_base * Fraction(self.fps))
        if container.duration:
            return round(container.duration / av.time_base * self.fps)
        return None


def _open(path: Path) -> tuple[InputContainer, VideoStream, list[str]]:
    """Return the container, its best video stream with a decoder, and notes about what is not read.

    Raises:
        InputError: the file contains no video that can be decoded.
    """
    name = printable(path)
    if not path.is_file():
        raise InputError(f"{name}: not a readable video (no such file); {REMEDY}")
    if not path.stat().st_size:
        raise InputError(f"{name}: not a readable video (the file is empty); {REMEDY}")
    av.logging.set_level(av.logging.WARNING)
    av.logging.set_skip_repeated(False)  # the same reason as for another file is not a repetition
    try:
        with av.logging.Capture() as logs:
            container = av.open(f"file:{os.fspath(path)}")
    except FFmpegError as error:
        reasons = [" ".join(message.split()) for level, _, message in logs if level <= av.logging.ERROR]
        raise InputError(f"{name}: not a readable video ({(reasons or [_text(error)])[0]}); {REMEDY}") from error
    finally:
        av.logging.set_level(None)  # messages of FFmpeg's own threads can block the interpreter
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise InputError(f"{name}: contains no video, only {_contents(container)}; {REMEDY}")
    best = container.streams.best("video")
    stream = best if best in streams else streams[0]
    if stream.codec_context is None:
        codec = re.search(UNKNOWN_CODEC, " ".join(message for _, _, message in logs))
        raise InputError(
            f"{name}: its video codec{f' {codec[1]}' if codec else ''} is not supported; convert it to H.264"
        )
    stream.thread_type = "AUTO"
    others = f"has {len(streams)} video streams; only number {streams.index(stream) + 1} is predicted"
    return container, stream, [others] if len(streams) > 1 else []


def _contents(container: InputContainer) -> str:
    kinds = sorted(
        {"a cover image" if stream.type == "video" else str(stream.type) for stream in container.streams}
    )
    return " and ".join(kinds) or "data"


def _text(error: FFmpegError) -> str:
    """Return FFmpeg's reason without its number and the file's name."""
    return error.strerror or one_line(error)


def _to_bgr(frame: av.VideoFrame, size: tuple[int, int], rotation: int) -> np.ndarray:
    """Return a frame as (H, W, 3) uint8 BGR; one of another size is scaled to (width, height), as in players."""
    width, height = size
    pixels = frame.reformat(width, height, "bgr24", threads=1).to_ndarray()
    return cv2.rotate(pixels, ROTATIONS[rotation]) if rotation in ROTATIONS else pixels


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
