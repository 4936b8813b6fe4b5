"""Every kind of picture becomes 8-bit BGR as its annotations saw it."""

import cv2
import numpy as np
import pytest

from splitpose import images
from splitpose.errors import InputError

# 3 wide, 2 high: red left, blue right; PNG keeps it to the bit.
PICTURE = np.array([[[0, 0, 255], [0, 0, 255], [255, 0, 0]]] * 2, np.uint8)
TURN_RIGHT = 6
"""EXIF's number of a picture that viewers turn a quarter clockwise."""


def png(picture):
    return cv2.imencode(".png", picture)[1].tobytes()


def turned_jpeg(picture, orientation=TURN_RIGHT):
    """A JPEG with an EXIF orientation tag: APP1 with one directory of one entry."""
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0" + bytes([orientation, 0, 0, 0]) + b"\0" * 4
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(PICTURE), PICTURE),
        (png(np.dstack([PICTURE, np.full((2, 3), 128, np.uint8)])), PICTURE),
        (png(PICTURE[..., 0]), np.repeat(PICTURE[..., :1], 3, axis=2)),
        (png(PICTURE.astype(np.uint16) * 257), PICTURE),
    ],
    ids=["colour", "transparent", "grey", "16 bit"],
)
def test_every_kind_becomes_colour(data, expected):
    np.testing.assert_array_equal(images.decode(data), expected)


def test_grey_on_request():
    assert images.decode(png(PICTURE), grey=True).shape == (2, 3)


@pytest.mark.parametrize(
    ("size", "height", "width"), [(None, 60, 40), ((40, 60), 60, 40), ((60, 40), 40, 60), ((7, 7), 60, 40)]
)
def test_a_turned_picture_is_read_as_its_annotations_saw_it(size, height, width):
    data = turned_jpeg(np.zeros((40, 60, 3), np.uint8))
    assert images.decode(data, size).shape == (height, width, 3)


def test_the_suffix_is_no_matter(tmp_path):
    (tmp_path / "a.JPG.download").write_bytes(png(PICTURE))
    np.testing.assert_array_equal(images.read(tmp_path / "a.JPG.download"), PICTURE)


def test_missing_and_damaged_pictures_are_named(tmp_path):
    with pytest.raises(InputError, match=r"a.png: no such picture"):
        images.read(tmp_path / "a.png")
    for content in [b"", b"text", png(PICTURE)[:40]]:
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(InputError, match=r"a.png: no picture, damaged or cut short"):
            images.read(tmp_path / "a.png")
