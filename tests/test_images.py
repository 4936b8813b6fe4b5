"""Every type of image becomes 8-bit BGR in the orientation of its annotations."""

import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

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
