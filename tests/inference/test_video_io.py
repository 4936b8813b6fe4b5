import errno
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.inference import video_io
from splitpose.inference.video_io import Video

KINDS = {".mp4": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG", ".webm": "VP80"}


def grey(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), 20 + 5 * number, np.uint8)


def film(path: Path, frames: int = 12, rate: float = 25.0, width: int = 64, height: int = 48) -> Path:
    code = cv2.VideoWriter.fourcc(*KINDS[path.suffix])
    writer = cv2.VideoWriter(str(path), code, rate, (width, height))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(grey(number, width, height))
    writer.release()
    return path


def greys(path: Path) -> list[float]:
    return [float(frame.pixels.mean()) for frame in Video(path).frames()]


@pytest.mark.parametrize("kind", KINDS)
def test_frames_come_in_order_with_their_times(tmp_path, kind):
    reading = Video(film(tmp_path / f"a{kind}"))
    frames = list(reading.frames())
    assert [frame.number for frame in frames] == list(range(12))
    assert [frame.seconds for frame in frames] == pytest.approx(np.arange(12) / 25, abs=2e-3)
    assert [frame.pixels.mean() for frame in frames] == pytest.approx(20 + 5 * np.arange(12), abs=4)
    assert reading.size == (64, 48)
    assert reading.rate == pytest.approx(25)
    assert reading.read == 12
    assert reading.what_is_missing() is None


def test_frames_are_turned_upright_as_the_file_says(tmp_path):
    """A phone held upright writes wide frames and a quarter turn in the track's matrix (ISO 14496-12, 8.3.2)."""
    path = film(tmp_path / "a.mp4", 3)
    content = path.read_bytes()
    straight = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    turned = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    at = content.index(straight, content.index(b"tkhd"))
    path.write_bytes(content[:at] + turned + content[at + 36 :])
    reading = Video(path)
    assert reading.size == (48, 64)
    assert {frame.pixels.shape for frame in reading.frames()} == {(64, 48, 3)}


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\0\0\0\x18ftypmp42" + bytes(200)])
def test_what_is_no_video_is_named(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        Video(path)
    assert str(error.value).startswith(f"{path}: no video, damaged or of a kind that cannot be read")


def test_a_missing_video_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "gone.mp4", tmp_path):
        with pytest.raises(InputError, match="no video"):
            Video(path)


def test_a_video_that_was_cut_is_read_as_far_as_it_goes_and_told(tmp_path):
    path = film(tmp_path / "a.avi", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    reading = Video(path)
    count = sum(1 for _ in reading.frames())
    assert 0 < count < 40
    assert reading.what_is_missing() == (
        f"{path}: is cut short, {count} of {reading.promised} frames could be read; those are predicted"
    )


def test_an_mp4_without_its_end_has_no_index_and_is_named(tmp_path):
    path = film(tmp_path / "a.mp4", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="no video, damaged"):
        Video(path)


@pytest.mark.parametrize(("stated", "taken"), [(29.97, 29.97), (0.0, 30.0), (90000.0, 30.0), (float("nan"), 30.0)])
def test_a_rate_that_is_none_is_not_believed(tmp_path, monkeypatch, stated, taken):
    path = film(tmp_path / "a.mp4", 3)
    real = cv2.VideoCapture

    class Stating:
        def __init__(self, path):
            self.capture = real(path)

        def get(self, what):
            return stated if what == cv2.CAP_PROP_FPS else self.capture.get(what)

        def __getattr__(self, name):
            return getattr(self.capture, name)

    monkeypatch.setattr(cv2, "VideoCapture", Stating)
    reading = Video(path)
    assert reading.rate == taken
    assert reading.promised == (3 if stated == taken else None)


@pytest.mark.parametrize("rate", [25.0, 29.97, 23.976023976, 1.0, 240.0, 59.94])
def test_what_is_written_has_its_frames_size_and_rate(tmp_path, rate):
    path = tmp_path / "out" / "a.mp4"
    with video_io.written(path, rate, (64, 48)) as writer:
        for number in range(12):
            writer.write(grey(number))
    reading = Video(path)
    assert reading.rate == pytest.approx(rate, rel=1e-4)
    assert reading.size == (64, 48)
    assert greys(path) == pytest.approx(20 + 5 * np.arange(12), abs=4)


def test_a_single_frame_is_a_video(tmp_path):
    path = tmp_path / "a.mp4"
    with video_io.written(path, 25.0, (64, 48)) as writer:
        writer.write(grey(5))
    assert greys(path) == pytest.approx([45], abs=4)


def test_odd_sizes_lose_a_column_and_a_row(tmp_path):
    path = tmp_path / "a.mp4"
    with video_io.written(path, 25.0, (65, 49)) as writer:
        writer.write(grey(1, 65, 49))
    assert Video(path).size == (64, 48)


def test_a_video_without_frames_is_told_and_leaves_nothing(tmp_path):
    message = r"a.mp4: could not be written; is there room, and are 64 x 48 px too few"
    with pytest.raises(InputError, match=message), video_io.written(tmp_path / "a.mp4", 25.0, (64, 48)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_fails_on_the_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"before")

    def fails():
        with video_io.written(path, 25.0, (64, 48)) as writer:
            writer.write(grey(1))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space"):
        fails()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
