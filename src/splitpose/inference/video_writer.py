"""Writing of MP4 files with H.264, frame by frame, with the time of each frame and without sound."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import ceil
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from splitpose.errors import InputError, printable
from splitpose.files import atomic_file

CODEC, PIXEL_FORMAT = "libx264", "yuv420p"
"""Codec and pixel format that browsers, phones and editors play."""

CODEC_OPTIONS = {"preset": "ultrafast", "crf": "23"}
"""The fastest preset: encoding shares the processor with the prediction. A lower `crf` is a better quality."""

COLORSPACE = Colorspace.ITU601
"""That of OpenCV's conversion; stated in the file, because players assume another one for large frames."""

ENCODER_THREADS = 2

MIN_TICKS = 90_000
"""Ticks per second in which frame times are stored at least, the clock of MPEG."""

MAX_RATE_DENOMINATOR = 1001
"""Denominator of the frame rates of television, such as 30000/1001."""


class VideoWriter:
    """Encodes the frames (H, W, 3) uint8 BGR of an open file."""

    def __init__(self, container: OutputContainer, stream: VideoStream, tick: Fraction, ticks_per_frame: int):
        self._container = container
        self._stream = stream
        self._tick = tick
        self._ticks_per_frame = ticks_per_frame
        self._earliest = self._next = 0

    def write(self, pixels: np.ndarray, seconds: float | None = None) -> None:
        """Encode a frame that is shown at a time, by default one frame duration after the previous one."""
        height, width = self._stream.height, self._stream.width
        yuv = cv2.cvtColor(pixels[:height, :width], cv2.COLOR_BGR2YUV_I420)  # in half of FFmpeg's time
        frame = av.VideoFrame.from_ndarray(yuv, PIXEL_FORMAT)
        time = self._next if seconds is None else round(seconds / self._tick)
        frame.pts, frame.time_base = max(time, self._earliest), self._tick
        frame.duration = self._ticks_per_frame
        self._earliest, self._next = frame.pts + 1, frame.pts + self._ticks_per_frame
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write the frames that the encoder holds back, and the index.

        Raises:
            ValueError: no frame was written.
        """
        if not self._earliest:
            raise ValueError("no frame was written")
        self._container.mux(self._stream.encode(None))


@contextmanager
def video_writer(
    path: Path, fps: float, size: tuple[int, int], pixel_aspect: Fraction = Fraction(1)
) -> Iterator[VideoWriter]:
    """Open a new video for writing frames of (width, height) px; it is at `path` only once it is complete.

    An odd width or height loses its last column or row, as the pixel format requires even ones.

    Args:
        path: the MP4 file.
        fps: frame rate; frames that are written with their times may have any other.
        size: (width, height) of the frames in px.
        pixel_aspect: width of a pixel over its height, stored for players.

    Raises:
        InputError: the video cannot be written.
    """
    with atomic_file(path) as temporary:
        try:
            with av.open(f"file:{os.fspath(temporary)}", "w", format="mp4") as container:
                writer = _add_stream(container, fps, size, pixel_aspect)
                yield writer
                writer.finish()
        except (FFmpegError, ValueError) as error:
            raise InputError(
                f"{printable(path)}: could not be written ({getattr(error, 'strerror', None) or error}); check the "
                f"free disk space and the size of {size[0]} x {size[1]} px"
            ) from error


def _add_stream(
    container: OutputContainer, fps: float, size: tuple[int, int], pixel_aspect: Fraction
) -> VideoWriter:
    if min(size) < 2:
        raise ValueError("the frames are too small")
    rate = Fraction(fps).limit_denominator(MAX_RATE_DENOMINATOR)
    ticks_per_frame = rate.denominator * ceil(MIN_TICKS / rate.numerator)
    stream = container.add_stream(CODEC, rate=rate, options=CODEC_OPTIONS)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = (side // 2 * 2 for side in size)
    stream.pix_fmt = PIXEL_FORMAT
    tick = 1 / (rate * ticks_per_frame)
    context = stream.codec_context
    context.time_base, context.sample_aspect_ratio, context.thread_count = tick, pixel_aspect, ENCODER_THREADS
    context.colorspace = COLORSPACE
    return VideoWriter(container, stream, tick, ticks_per_frame)
