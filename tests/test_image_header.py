"""The size of an image is read from its header."""

import struct

import cv2
import numpy as np
import pytest

from splitpose.image_header import image_size

PIXELS = np.zeros((20, 30, 3), np.uint8)
FRAME = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 4000, 3000) + bytes(10)
"""A JPEG segment that states 3000 x 4000 px: marker, length 17, 8 bits per sample, height, width, components."""


def encoded(kind: str, *flags: int) -> bytes:
    return cv2.imencode(kind, PIXELS, flags)[1].tobytes()


@pytest.mark.parametrize(
    "data",
    [encoded(".png"), encoded(".jpg"), encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)],
    ids=["png", "jpeg", "progressive jpeg"],
)
def test_the_size_of_a_file(data):
    assert image_size(data) == (30, 20)


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"\xff\xe1\x00\x06\xff\xc0\x00\x11",  # a segment, such as Exif, that contains a frame marker
        b"\xff\xff\xff",  # fill bytes
        b"\x00\x12\xff\x00",  # bytes that libjpeg skips
        b"\xff\xd0\xff\x01",  # markers without a segment
        b"\xff\xc4\x00\x04\x00\x00",  # a table: its marker lies between those of frames
    ],
)
def test_the_first_frame_of_a_jpeg_is_found(before):
    assert image_size(b"\xff\xd8" + before + FRAME) == (3000, 4000)


def test_a_frame_that_libjpeg_would_ignore_is_not_a_frame():
    hidden = b"\xff\xfe" + struct.pack(">H", len(FRAME) + 2) + FRAME.replace(struct.pack(">H", 4000), b"\0\1")
    assert image_size(b"\xff\xd8" + hidden + FRAME) == (3000, 4000)


@pytest.mark.parametrize(
    "data",
    [b"", b"text", encoded(".png")[:20], encoded(".jpg")[:30], b"\xff\xd8", b"\xff\xd8" * 9, encoded(".bmp")],
)
def test_anything_else_has_no_size(data):
    assert image_size(data) is None


def test_decoders_and_header_agree_on_a_damaged_jpeg():
    # Bytes are replaced at random: whenever OpenCV decodes the file, it has the size of the header.
    rng = np.random.default_rng(1)
    original = np.frombuffer(encoded(".jpg"), np.uint8)
    decoded = 0
    for _ in range(300):
        data = original.copy()
        data[rng.integers(2, 200, 3)] = rng.integers(0, 256, 3)
        pixels = cv2.imdecode(data, cv2.IMREAD_COLOR_BGR | cv2.IMREAD_IGNORE_ORIENTATION)
        if pixels is not None:
            decoded += 1
            assert image_size(data.tobytes()) == pixels.shape[1::-1]
    assert decoded > 50
