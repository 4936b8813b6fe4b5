"""Sizes of image files, for formats that do not state them."""

from pathlib import Path

from PIL import Image, UnidentifiedImageError

ORIENTATION = 0x0112
"""EXIF tag; values 5 to 8 are quarter turns (CIPA DC-008)."""


def size_of(path: Path) -> tuple[int, int] | None:
    """Return (width, height) in px of an image as viewers show it, without decoding it; None if unreadable."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            is_turned = image.getexif().get(ORIENTATION, 1) >= 5
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    return (height, width) if is_turned else (width, height)
