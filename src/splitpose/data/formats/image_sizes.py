"""Sizes of image files, for formats that do not state them."""

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from splitpose.pillow_images import stated_size

ORIENTATION = 0x0112
"""EXIF tag; values 5 to 8 are quarter turns (CIPA DC-008)."""


def size_of(path: Path) -> tuple[int, int] | None:
    """Return (width, height) in px of an image as viewers show it, without decoding it; None if unreadable."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            is_turned = image.getexif().get(ORIENTATION, 1) >= 5
    except UnidentifiedImageError:
        return stated_size(path.read_bytes())  # HEIC, which states the size as shown
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return (height, width) if is_turned else (width, height)
