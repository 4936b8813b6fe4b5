import errno
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.inference.video_io import Video, video_writer

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG", ".webm": "VP80"}


def grey(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), 20 + 5 * number, np.uint8)


def write_video(path: Path, frames: int = 12, fps: float = 25.0, width: int = 64, height: int = 48) -> Path:
    code = cv2.VideoWriter.fourcc(*CODECS[path.suffix])
    writer = cv2.VideoWriter(str(path), code, fps, (width, height))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(grey(number, width, height))
    writer.release()
    return path


def greys(path: Path) -> list[float]:
    return [float(frame.pixels.mean()) for frame in Video(path).frames()]


@pytest.mark.parametrize("suffix", CODECS)
def test_frames_are_read_in_order_with_their_times(tmp_path, suffix):
    video = Video(write_video(tmp_path / f"a{suffix}"))
    frames = list(video.frames())
    assert [frame.number for frame in frames] == list(range(12))
    assert [frame.seconds for frame in frames] == pytest.approx(np.arange(12) / 25, abs=2e-3)
    assert [frame.pixels.mean() for frame in frames] == pytest.approx(20 + 5 * np.arange(12), abs=4)
    assert video.size == (64, 48)
    assert video.fps == pytest.approx(25)
    assert video.frames_read == 12
    assert video.truncation_warning() is None


def test_frames_are_rotated_as_the_file_states(tmp_path):
    """A phone held upright writes wide frames and a quarter turn in the track's matrix (ISO 14496-12, 8.3.2)."""
    path = write_video(tmp_path / "a.mp4", 3)
    content = path.read_bytes()
    straight = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    turned = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    at = content.index(straight, content.index(b"tkhd"))
    path.write_bytes(content[:at] + turned + content[at + 36 :])
    video = Video(path)
    assert video.size == (48, 64)
    assert {frame.pixels.shape for frame in video.frames()} == {(64, 48, 3)}


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\0\0\0\x18ftypmp42" + bytes(200)])
def test_files_that_are_not_videos_are_reported(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        Video(path)
    assert str(error.value).startswith(f"{path}: not a readable video; give an MP4 file")


def test_a_missing_video_and_a_folder_are_reported(tmp_path):
    for path in (tmp_path / "gone.mp4", tmp_path):
        with pytest.raises(InputError, match="not a readable video"):
            Video(path)


def test_a_truncated_video_is_read_to_its_end_and_reported(tmp_path):
    path = write_video(tmp_path / "a.avi", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    video = Video(path)
    count = sum(1 for _ in video.frames())
    assert 0 < count < 40
    assert video.truncation_warning() == (
        f"{path}: is truncated; only {count} of {video.stated_frames} frames could be read and predicted"
    )


def test_a_truncated_mp4_has_no_index_and_is_reported(tmp_path):
    path = write_video(tmp_path / "a.mp4", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="not a readable video"):
        Video(path)


@pytest.mark.parametrize(
    ("stated", "expected"), [(29.97, 29.97), (0.0, 30.0), (90000.0, 30.0), (float("nan"), 30.0)]
)
def test_an_invalid_frame_rate_is_replaced(tmp_path, monkeypatch, stated, expected):
    path = write_video(tmp_path / "a.mp4", 3)
    real = cv2.VideoCapture

    class FakeCapture:
        def __init__(self, path):
            self.capture = real(path)

        def get(self, what):
            return stated if what == cv2.CAP_PROP_FPS else self.capture.get(what)

        def __getattr__(self, name):
            return getattr(self.capture, name)

    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    video = Video(path)
    assert video.fps == expected
    assert video.stated_frames == (3 if stated == expected else None)


@pytest.mark.parametrize("fps", [25.0, 29.97, 23.976023976, 1.0, 240.0, 59.94])
def test_a_written_video_has_its_frames_size_and_rate(tmp_path, fps):
    path = tmp_path / "out" / "a.mp4"
    with video_writer(path, fps, (64, 48)) as writer:
        for number in range(12):
            writer.write(grey(number))
    video = Video(path)
    assert video.fps == pytest.approx(fps, rel=1e-4)
    assert video.size == (64, 48)
    assert greys(path) == pytest.approx(20 + 5 * np.arange(12), abs=4)


def test_a_single_frame_is_a_video(tmp_path):
    path = tmp_path / "a.mp4"
    with video_writer(path, 25.0, (64, 48)) as writer:
        writer.write(grey(5))
    assert greys(path) == pytest.approx([45], abs=4)


def test_odd_sizes_lose_a_column_and_a_row(tmp_path):
    path = tmp_path / "a.mp4"
    with video_writer(path, 25.0, (65, 49)) as writer:
        writer.write(grey(1, 65, 49))
    assert Video(path).size == (64, 48)


def test_a_video_without_frames_is_reported_and_leaves_nothing(tmp_path):
    message = r"a.mp4: could not be written; check the free disk space and the size of 64 x 48 px"
    with pytest.raises(InputError, match=message), video_writer(tmp_path / "a.mp4", 25.0, (64, 48)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_the_previous_file(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"before")

    def fail():
        with video_writer(path, 25.0, (64, 48)) as writer:
            writer.write(grey(1))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space"):
        fail()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
