"""The one way a picture is read: any format, colour kind and EXIF orientation becomes 8-bit BGR or grey."""

from pathlib import Path

import cv2
import numpy as np

from splitpose.errors import InputError


def decode(data: bytes, size: tuple[int, int] | None = None, grey: bool = False) -> np.ndarray | None:
    """The picture in a file's bytes, whatever the file is called; None if it is none, damaged or cut short.

    Args:
        data: of a file.
        size: (width, height) px that the annotations were made on. A picture whose EXIF tag turns it on its
            side is turned, as viewers and labelling tools do, unless only the unturned one has this size.
        grey: one channel instead of three; takes half the time.

    Returns:
        (H, W, 3) uint8 BGR, or (H, W) uint8 grey; transparency is dropped.
    """
    kind = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR
    picture = _decode(data, kind)
    if picture is not None and size is not None and picture.shape[:2] == size != picture.shape[1::-1]:
        unturned = _decode(data, kind | cv2.IMREAD_IGNORE_ORIENTATION)
        if unturned is not None and unturned.shape[1::-1] == size:
            return unturned
    return picture


def read(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """The picture of a file, (H, W, 3) uint8 BGR; `size` as in `decode`.

    Raises InputError naming a file that is missing or no readable picture.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such picture")
    picture = decode(path.read_bytes(), size)
    if picture is None:
        raise InputError(f"{path}: no picture, damaged or cut short; give a JPEG or PNG file")
    return picture


def _decode(data: bytes, flags: int) -> np.ndarray | None:
    try:
        picture: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # an empty file, or more pixels than OpenCV agrees to read
        return None
    return picture
