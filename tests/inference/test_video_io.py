import os
import struct
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.inference.video_io import Video, _Timing
from splitpose.inference.video_writer import video_writer

CASES = Path(__file__).parents[3] / "shared" / "cases"
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


def encode(
    path: Path, frames: list[np.ndarray], codec: str, pixel_format: str = "yuv420p", options: dict | None = None
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixel_format
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, "bgr24").reformat(format=pixel_format)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


INTERLACED = [
    ("libx264", ".mp4", {"x264-params": "tff=1", "qp": "10"}),
    ("libx264", ".ts", {"x264-params": "tff=1", "qp": "10"}),
    ("mpeg2video", ".mpg", {"flags": "+ilme+ildct", "qmax": "2"}),
]


def interlaced(number: int) -> np.ndarray:
    """A white area that ends 4 px further right in the odd rows, and moves 8 px in each frame."""
    pixels = np.zeros((96, 160, 3), np.uint8)
    pixels[::2, : 20 + 8 * number] = 255
    pixels[1::2, : 24 + 8 * number] = 255
    return pixels


def comb(pixels: np.ndarray) -> float:
    """Mean difference of neighbouring rows near the edge, away from the upper and lower margin."""
    rows = pixels[16:-16, :, 0].astype(int)
    return float(np.abs(np.diff(rows, axis=0)).sum(axis=1).mean() / 40)


def noise(number: int) -> np.ndarray:
    small = np.random.default_rng(number).integers(0, 256, (24, 32, 3), np.uint8)
    return cv2.resize(small, (320, 240))


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
    assert video.damage_warning() is None


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
    assert str(error.value).startswith(f"{path}: not a readable video (")
    assert str(error.value).endswith("); provide a complete file, for example MP4 with H.264")


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
    assert video.damage_warning() == (
        f"{path}: is truncated; only {count} of {video.stated_frames} frames could be read and predicted "
        "(Invalid data found when processing input)"
    )


def test_a_truncated_mp4_has_no_index_and_is_reported(tmp_path):
    path = write_video(tmp_path / "a.mp4", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"not a readable video \(moov atom not found\); provide a complete file"):
        Video(path)


@pytest.mark.parametrize(
    ("stated", "expected"), [(Fraction(30000, 1001), 29.97), (None, 30.0), (Fraction(90000), 30.0)]
)
def test_an_invalid_frame_rate_is_replaced(stated, expected):
    stream = SimpleNamespace(average_rate=stated, guessed_rate=None, frames=3)
    timing = _Timing(stream, SimpleNamespace(duration=None))
    assert timing.fps == pytest.approx(expected, abs=1e-3)
    assert timing.stated_frames == (3 if expected == 29.97 or stated == 30 else None)


def test_times_are_those_of_the_frames_and_start_at_zero():
    """The fifth frame has no time, the sixth one is earlier than the one before it."""
    stream = SimpleNamespace(average_rate=Fraction(10), guessed_rate=None, frames=0, duration=None)
    timing = _Timing(stream, SimpleNamespace(duration=None))
    times = [5.0, 5.04, 5.5, 5.51, None, 5.2]
    frames = [SimpleNamespace(time=time, pts=None if time is None else 1) for time in times]
    assert [timing.seconds(frame) for frame in frames] == pytest.approx([0, 0.04, 0.5, 0.51, 0.61, 0.71])


@pytest.mark.parametrize(("codec", "suffix", "options"), INTERLACED)
def test_interlaced_frames_are_deinterlaced(tmp_path, codec, suffix, options):
    """A moving edge, of which the fields show two positions, is a comb unless the frame is deinterlaced."""
    path = encode(tmp_path / f"a{suffix}", [interlaced(number) for number in range(8)], codec, options=options)
    with av.open(str(path)) as container:
        assert all(frame.interlaced_frame for frame in container.decode(video=0))
    video = Video(path)
    frames = list(video.frames())
    assert [frame.number for frame in frames] == list(range(8))
    assert [frame.seconds for frame in frames] == pytest.approx(np.arange(8) / 25, abs=1e-3)
    for number, frame in enumerate(frames):
        assert comb(interlaced(number)) > 20
        assert comb(frame.pixels) < 8
        edge = (frame.pixels[:, :, 0] > 128).sum(axis=1).mean()
        assert edge == pytest.approx(20 + 8 * number + 2, abs=3)  # between the fields' 0 and 4 px
    assert video.damage_warning() is None


def test_a_single_interlaced_frame_is_read(tmp_path):
    codec, suffix, options = INTERLACED[0]
    assert len(greys(encode(tmp_path / f"a{suffix}", [interlaced(0)], codec, options=options))) == 1


def test_reading_interlaced_video_twice_gives_the_same_pixels():
    path = CASES / "interlaced_video" / "i640.mp4"
    if not path.is_file():
        pytest.skip("the shared cases are not here")
    first, second = ([frame.pixels for frame in Video(path).frames()] for _ in range(2))
    assert len(first) == 30
    assert (np.array(first) == np.array(second)).all()
    assert len({pixels.tobytes() for pixels in first}) == 30


@pytest.mark.parametrize(
    ("codec", "suffix", "pixel_format"),
    [
        ("libx265", ".mp4", "yuv420p10le"),
        ("libvpx-vp9", ".webm", "yuv420p"),
        ("libsvtav1", ".mp4", "yuv420p"),
        ("prores_ks", ".mov", "yuv422p10le"),
        ("mpeg2video", ".mpg", "yuv420p"),
        ("libx264", ".h264", "yuv420p"),
    ],
)
def test_codecs_of_cameras_and_editors_are_read(tmp_path, codec, suffix, pixel_format):
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = encode(tmp_path / f"a{suffix}", [grey(n) for n in range(6)], codec, pixel_format, options)
    assert greys(path) == pytest.approx(20 + 5 * np.arange(6), abs=4)


def test_an_unknown_codec_is_named_with_the_remedy(tmp_path):
    path = encode(tmp_path / "a.mp4", [grey(1)], "libx264")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    with pytest.raises(InputError) as error:
        Video(path)
    assert str(error.value) == f"{path}: its video codec zzzz is not supported; convert it to H.264"


def test_sound_and_cover_images_are_no_video(tmp_path):
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        samples.sample_rate = 8000
        container.mux(stream.encode(samples))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"a.m4a: contains no video, only audio"):
        Video(path)


def test_damage_in_the_middle_is_reported_and_damaged_frames_are_left_out(tmp_path):
    path = encode(tmp_path / "a.mpg", [noise(n) for n in range(12)], "mpeg2video", options={"g": "1"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = bytes(1500)
    path.write_bytes(content)
    video = Video(path)
    frames = {frame.number: frame.pixels for frame in video.frames()}
    assert 8 <= len(frames) < 12
    for number, pixels in frames.items():
        assert np.abs(pixels.astype(int) - noise(number)).mean() < 40, number
    left_out = 12 - len(frames)
    assert f"a.mpg: is damaged; {left_out} frame(s) could not be decoded" in video.damage_warning()


def test_pixels_that_are_not_square_are_kept(tmp_path):
    with video_writer(tmp_path / "a.mp4", 25.0, (64, 48), Fraction(16, 11)) as writer:
        writer.write(grey(1))
    video = Video(tmp_path / "a.mp4")
    assert (video.size, video.pixel_aspect) == ((64, 48), Fraction(16, 11))


@pytest.mark.parametrize("name", [b"ni\xf1o.mp4", b"50%d: a?b#c.mp4"])
def test_a_name_may_have_any_bytes(tmp_path, name):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(write_video(tmp_path / "a.mp4", 3).read_bytes())
    assert len(greys(path)) == 3
