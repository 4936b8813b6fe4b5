import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.inference.video_io import Video
from splitpose.inference.video_writer import video_writer


def grey(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), 20 + 5 * number, np.uint8)


def greys(path: Path) -> list[float]:
    return [float(frame.pixels.mean()) for frame in Video(path).frames()]


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
    message = r"a.mp4: could not be written \(no frame was written\); check the free disk space and the size"
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


def test_frames_keep_their_times(tmp_path):
    times = [0, 0.04, 0.05, 0.3, 0.311, 1.0, 1.0]  # the last two have the same time
    with video_writer(tmp_path / "a.mp4", 25.0, (64, 48)) as writer:
        for number, time in enumerate(times):
            writer.write(grey(number), time)
    assert [frame.seconds for frame in Video(tmp_path / "a.mp4").frames()] == pytest.approx(times, abs=2e-5)


def test_the_codec_is_h264_in_a_pixel_format_that_all_players_know(tmp_path):
    with video_writer(tmp_path / "a.mp4", 25.0, (64, 48)) as writer:
        writer.write(np.full((48, 64, 3), (200, 30, 60), np.uint8))
    capture = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    assert int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little") in (b"h264", b"avc1")
    assert capture.read()[1][24, 32] == pytest.approx([200, 30, 60], abs=4)


def test_frames_that_are_too_small_are_reported(tmp_path):
    message = r"could not be written \(the frames are too small\); .* the size of 1 x 1 px"
    with pytest.raises(InputError, match=message), video_writer(tmp_path / "a.mp4", 25.0, (1, 1)):
        pass
