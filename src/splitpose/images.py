"""Reading of images of any format, colour type and EXIF orientation as 8-bit BGR or grey.

OpenCV decodes the formats that it knows. It rejects files that it cannot decode completely; Pillow decodes those,
and the formats that OpenCV does not know.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from splitpose import MAX_IMAGE_PIXELS, pillow_images
from splitpose.errors import InputError, printable
from splitpose.image_header import JPEG_START, PNG_START, image_size
from splitpose.pillow_images import PillowImage

MIN_DECODED_ROWS = 0.9
"""Fraction of the rows of a truncated image that must be decoded."""

COMPLETE_FORMATS = {"JPEG", "MPO", "PNG", "GIF"}
"""Formats of which OpenCV decodes every complete file; if it does not, the file is damaged or truncated."""

PNG_END = b"IEND\xaeB`\x82"
"""Name and checksum of the last chunk of a PNG file."""

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # errors are reported by this module, in one line


@dataclass(frozen=True)
class DecodedImage:
    """An image as `decode` returns it, what could not be decoded, and whether its rows are complete."""

    pixels: np.ndarray
    warning: str | None = None
    has_all_rows: bool = True


def decode(data: bytes, size: tuple[int, int] | None = None, grey: bool = False) -> np.ndarray | None:
    """Decode an image file; its format is detected from the bytes.

    Args:
        data: content of the file.
        size: (width, height) in px that the annotations refer to. An image with an EXIF orientation of a quarter
            turn is rotated, as in viewers and labelling tools, unless only the unrotated image has this size.
        grey: decode one channel instead of three, which takes half the time.

    Returns:
        (H, W, 3) uint8 BGR without transparency, or (H, W) uint8 grey; None if the data is not an image, damaged,
        truncated or of more than `MAX_IMAGE_PIXELS` pixels.
    """
    flags = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR
    image = _decode(data, flags)
    if image is None:
        other = _pillow(data, size)
        if other is None or other.is_truncated or other.format in COMPLETE_FORMATS:
            return None
        return _to_grey(other.pixels) if grey else other.pixels
    if size is not None and image.shape[:2] == size != image.shape[1::-1]:
        unrotated = _decode(data, flags | cv2.IMREAD_IGNORE_ORIENTATION)
        if unrotated is not None and unrotated.shape[1::-1] == size:
            return unrotated
    return image


def decode_truncated(data: bytes, size: tuple[int, int] | None = None, grey: bool = False) -> DecodedImage | None:
    """Decode an image file that may lack its last bytes; `size` and `grey` as in `decode`.

    Returns:
        The image, with a warning if not all of it could be decoded; None if `decode` returns None and less than
        `MIN_DECODED_ROWS` of the rows could be decoded.
    """
    image = decode(data, size, grey)
    if image is not None:
        return DecodedImage(image)
    truncated = _pillow(data, size)
    if truncated is None or truncated.decoded_rows < MIN_DECODED_ROWS * truncated.rows:
        return None
    rows = f"{truncated.decoded_rows} of {truncated.rows} rows could be decoded"
    return DecodedImage(
        _to_grey(truncated.pixels) if grey else truncated.pixels,
        f"is truncated; {rows}",
        truncated.decoded_rows == truncated.rows,
    )


def read(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read an image file, (H, W, 3) uint8 BGR; `size` as in `decode`, truncated files as in `decode_truncated`.

    Raises:
        InputError: the file is missing, not a readable image or has more than `MAX_IMAGE_PIXELS` pixels.
    """
    return load(path, size).pixels


def load(path: Path, size: tuple[int, int] | None = None) -> DecodedImage:
    """Read an image file with warnings about what could not be read; `size` as in `decode`.

    Raises:
        InputError: the file is missing, not a readable image or has more than `MAX_IMAGE_PIXELS` pixels.
    """
    name = printable(path)
    if not path.is_file():
        raise InputError(f"{name}: no such image")
    data = path.read_bytes()
    check_pixels(name, data, MAX_IMAGE_PIXELS)
    image = decode_truncated(data, size)
    if image is None:
        raise InputError(
            f"{name}: not a readable image, damaged or truncated{_reason(data)}; "
            f"provide a JPEG or PNG file of at most {MAX_IMAGE_PIXELS / 1e6:g} million px"
        )
    return image


def count_frames(data: bytes) -> int:
    """Return the number of frames of an animation, or of pages, of which the first is decoded; otherwise 1."""
    return 1 if data.startswith(JPEG_START) else pillow_images.frame_count(data)


def check_pixels(name: object, data: bytes, max_pixels: int) -> None:
    """Raise InputError, which starts with `name`, if an image file states more pixels in its header."""
    width, height = image_size(data) or pillow_images.stated_size(data) or (0, 0)
    if width * height > max_pixels:
        raise InputError(
            f"{name}: has {width} x {height} px, but at most {max_pixels / 1e6:g} million px are accepted; "
            "reduce the image"
        )


def _decode(data: bytes, flags: int) -> np.ndarray | None:
    if data.startswith(PNG_START) and PNG_END not in data:  # libpng would print an error
        return None
    try:
        image: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # an empty file, or more pixels than OpenCV accepts
        return None
    return image


def _pillow(data: bytes, size: tuple[int, int] | None) -> PillowImage | None:
    image = pillow_images.decode(data)
    if image is not None and size is not None and image.pixels.shape[:2] == size != image.pixels.shape[1::-1]:
        return pillow_images.decode(data, orient=False)
    return image


def _to_grey(pixels: np.ndarray) -> np.ndarray:
    grey: np.ndarray = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    return grey


def _reason(data: bytes) -> str:
    """Return what is known about a file that could not be decoded, for a message."""
    if not data:
        return " (the file is empty)"
    image = pillow_images.decode(data)
    return f" (only {image.decoded_rows} of {image.rows} rows could be decoded)" if image else ""
