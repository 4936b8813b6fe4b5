"""Every type of image becomes 8-bit BGR in the orientation of its annotations."""

import struct
import subprocess
import sys
import zlib
from io import BytesIO

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from splitpose import images
from splitpose.errors import InputError

# 3 wide, 2 high: red left, blue right; PNG keeps it to the bit.
IMAGE = np.array([[[0, 0, 255], [0, 0, 255], [255, 0, 0]]] * 2, np.uint8)
ROTATE_RIGHT = 6
"""EXIF orientation of an image that viewers rotate a quarter turn clockwise."""


def png(image):
    return cv2.imencode(".png", image)[1].tobytes()


def rotated_jpeg(image, orientation=ROTATE_RIGHT):
    """A JPEG with an EXIF orientation tag: APP1 with one directory of one entry."""
    jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0" + bytes([orientation, 0, 0, 0]) + b"\0" * 4
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(IMAGE), IMAGE),
        (png(np.dstack([IMAGE, np.full((2, 3), 128, np.uint8)])), IMAGE),
        (png(IMAGE[..., 0]), np.repeat(IMAGE[..., :1], 3, axis=2)),
        (png(IMAGE.astype(np.uint16) * 257), IMAGE),
    ],
    ids=["colour", "transparent", "grey", "16 bit"],
)
def test_every_type_becomes_colour(data, expected):
    np.testing.assert_array_equal(images.decode(data), expected)


def test_grey_on_request():
    assert images.decode(png(IMAGE), grey=True).shape == (2, 3)


@pytest.mark.parametrize(
    ("size", "height", "width"), [(None, 60, 40), ((40, 60), 60, 40), ((60, 40), 40, 60), ((7, 7), 60, 40)]
)
def test_a_rotated_image_is_read_in_the_orientation_of_its_annotations(size, height, width):
    data = rotated_jpeg(np.zeros((40, 60, 3), np.uint8))
    assert images.decode(data, size).shape == (height, width, 3)


def test_the_suffix_does_not_matter(tmp_path):
    (tmp_path / "a.JPG.download").write_bytes(png(IMAGE))
    np.testing.assert_array_equal(images.read(tmp_path / "a.JPG.download"), IMAGE)


def test_missing_and_damaged_images_are_reported(tmp_path):
    with pytest.raises(InputError, match=r"a.png: no such image"):
        images.read(tmp_path / "a.png")
    for content in [b"", b"text", png(IMAGE)[:40]]:
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(InputError, match=r"a.png: not a readable image, damaged or truncated"):
            images.read(tmp_path / "a.png")


def photograph():
    """Colours that change from row to row, down to a bottom of one colour, as of a wall."""
    small = np.random.default_rng(0).integers(0, 256, (25, 20, 3), np.uint8)
    image = cv2.resize(small, (160, 200))
    image[-40:] = 200
    return image


def encode(name, image, *options):
    return cv2.imencode(name, image, options)[1].tobytes()


PROGRESSIVE = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)


@pytest.mark.parametrize(("name", "options"), [(".jpg", ()), (".jpg", PROGRESSIVE), (".png", ()), (".gif", ())])
def test_an_image_that_lacks_only_its_last_bytes_is_read_with_a_warning(tmp_path, name, options):
    data = encode(name, photograph(), *options)
    path = tmp_path / "a"
    path.write_bytes(data[:-2] if name == ".jpg" else data[:-1])
    assert images.decode(path.read_bytes()) is None  # not a complete image
    image = images.load(path)
    assert (image.warning, image.has_all_rows) == ("is truncated; 200 of 200 rows could be decoded", True)
    assert np.abs(image.pixels.astype(int) - images.decode(data)).max() <= 2
    np.testing.assert_array_equal(images.read(path), image.pixels)


def test_missing_rows_are_counted_and_filled(tmp_path):
    """The rows of a PPM file are stored uncompressed; those of a BMP file from the last to the first."""
    noise = np.random.default_rng(0).integers(1, 256, (100, 60, 3), np.uint8)
    for name, kept in ((".ppm", slice(None, 95)), (".bmp", slice(5, None))):
        data = encode(name, noise)
        image = images.decode_truncated(data[: -5 * 60 * 3])
        assert image.warning == "is truncated; 95 of 100 rows could be decoded"
        assert not image.has_all_rows
        np.testing.assert_array_equal(image.pixels[kept], noise[kept])
        assert images.decode_truncated(data[: -11 * 60 * 3]) is None  # less than 90 %
        (tmp_path / "a").write_bytes(data[: -11 * 60 * 3])
        with pytest.raises(
            InputError, match=r"damaged or truncated \(only 89 of 100 rows could be decoded\); provide"
        ):
            images.read(tmp_path / "a")


def test_the_missing_rows_of_a_jpeg_are_those_that_its_file_does_not_determine():
    data = encode(".jpg", cv2.resize(photograph()[:150], (160, 800)), cv2.IMWRITE_JPEG_QUALITY, 95)
    start = data.index(b"\xff\xda")
    cut = data[: start + round(0.95 * (len(data) - start))]
    image = images.decode_truncated(cut)
    rows = int(image.warning.split()[2])
    assert 720 <= rows < 800
    np.testing.assert_array_equal(image.pixels[: rows - 16], images.decode(data)[: rows - 16])
    assert images.decode_truncated(data[: start + (len(data) - start) // 2]) is None


@pytest.mark.parametrize("progressive", [0, 1])
def test_rows_that_a_jpeg_does_not_contain_are_never_taken_for_decoded_ones(progressive):
    colours = np.random.default_rng(0).integers(0, 256, (8, 6, 3), np.uint8)
    smooth = cv2.resize(colours, (120, 160), interpolation=cv2.INTER_LINEAR)
    data = cv2.imencode(".jpg", smooth, [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive])[1].tobytes()
    read = [images.decode_truncated(data[:end]) for end in range(2, len(data), 97)]
    assert read[0] is None and images.decode_truncated(data[:-2]) is not None
    # Missing rows are grey, at a mean distance of 40 from the image's colours.
    assert np.abs(smooth - 128.0).mean() > 40
    assert all(np.abs(image.pixels - smooth.astype(float)).mean() < 20 for image in read if image)


def test_a_truncated_image_is_grey_on_request_and_has_its_annotations_orientation():
    gradient = np.tile(np.arange(60, dtype=np.uint8)[None, :, None], (40, 1, 3))
    data = rotated_jpeg(gradient)[:-2]
    assert images.decode_truncated(data, grey=True).pixels.shape == (60, 40)
    assert images.decode_truncated(data, (60, 40)).pixels.shape == (40, 60, 3)


def test_heic_is_read_upright(tmp_path):
    """A photograph of a phone; its bottom is darker."""
    picture = Image.fromarray(np.repeat(np.linspace(250, 10, 64).astype(np.uint8)[:, None], 48, 1)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = ROTATE_RIGHT
    pillow_heif.from_pillow(picture.rotate(90, expand=True)).save(tmp_path / "a.jpg", exif=exif.tobytes())
    image = images.load(tmp_path / "a.jpg")
    assert image.warning is None
    assert image.pixels.shape == (64, 48, 3)
    assert image.pixels[:, 24, 0] == pytest.approx(np.linspace(250, 10, 64), abs=6)


def test_frames_of_animations_are_counted():
    frames = [Image.fromarray(photograph()), Image.fromarray(photograph()[::-1])]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        file = BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        assert images.count_frames(file.getvalue()) == 2, kind
    assert images.count_frames(png(IMAGE)) == images.count_frames(rotated_jpeg(IMAGE)) == 1
    assert images.count_frames(b"text") == images.count_frames(b"") == 1


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a"
        + struct.pack("<HH", 20_000, 10_001)
        + b"\0" * 3
        + b","
        + struct.pack("<HHHH", 0, 0, 20_000, 10_001)
        + b"\0\2",
        b"8BPS" + struct.pack(">HxxxxxxHIIHH", 1, 3, 10_001, 20_000, 8, 3) + b"\0" * 20,
        b"BM"
        + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 20_000, 10_001, 1, 24, *[0] * 6),
    ],
    ids=["GIF", "PSD", "BMP"],
)
def test_no_format_may_state_too_many_pixels(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(InputError, match=r"a: has 20000 x 10001 px, but at most 200 million px are accepted"):
        images.read(tmp_path / "a")


def header(width, height):
    """A PNG file that states this size and ends after its header."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_an_image_of_too_many_pixels_is_not_decoded(tmp_path):
    (tmp_path / "a.png").write_bytes(header(20_000, 10_001))
    with pytest.raises(InputError, match=r"a.png: has 20000 x 10001 px, but at most 200 million px are accepted"):
        images.read(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(header(20_000, 10_000))
    with pytest.raises(InputError, match=r"a.png: not a readable image, damaged or truncated; .* 200 million px"):
        images.read(tmp_path / "a.png")


def test_the_limit_applies_to_all_formats():
    # The header of a BMP file of 20000 x 10001 px. OpenCV reads the limit when it is imported.
    program = (
        "import struct, numpy as np, splitpose, cv2;"
        "sizes = struct.pack('<IiiHHIIiiII', 40, 20_000, 10_001, 1, 24, *[0] * 6);"
        "data = b'BM' + struct.pack('<IHHI', 54, 0, 0, 54) + sizes + bytes(100);"
        "cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pixels <= CV_IO_MAX_IMAGE_PIXELS" in done.stderr
