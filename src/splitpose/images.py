"""Reading of images of any format, colour type and EXIF orientation as 8-bit BGR or grey."""

from pathlib import Path

import cv2
import numpy as np

from splitpose import MAX_IMAGE_PIXELS
from splitpose.errors import InputError
from splitpose.image_header import image_size


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
    if image is not None and size is not None and image.shape[:2] == size != image.shape[1::-1]:
        unrotated = _decode(data, flags | cv2.IMREAD_IGNORE_ORIENTATION)
        if unrotated is not None and unrotated.shape[1::-1] == size:
            return unrotated
    return image


def read(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read an image file, (H, W, 3) uint8 BGR; `size` as in `decode`.

    Raises:
        InputError: the file is missing, not a readable image or has more than `MAX_IMAGE_PIXELS` pixels.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such image")
    data = path.read_bytes()
    check_pixels(path, data, MAX_IMAGE_PIXELS)
    image = decode(data, size)
    if image is None:
        raise InputError(
            f"{path}: not a readable image, damaged or truncated; "
            f"provide a JPEG or PNG file of at most {MAX_IMAGE_PIXELS / 1e6:g} million px"
        )
    return image


def check_pixels(name: object, data: bytes, max_pixels: int) -> None:
    """Raise InputError, which starts with `name`, if a JPEG or PNG file states more pixels in its header."""
    width, height = image_size(data) or (0, 0)
    if width * height > max_pixels:
        raise InputError(
            f"{name}: has {width} x {height} px, but at most {max_pixels / 1e6:g} million px are accepted; "
            "reduce the image"
        )


def _decode(data: bytes, flags: int) -> np.ndarray | None:
    try:
        image: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # an empty file, or more pixels than OpenCV accepts
        return None
    return image
