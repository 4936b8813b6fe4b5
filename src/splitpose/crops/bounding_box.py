"""A box that somebody gives, a detector or a user, becomes a square; what is no box is told."""

import numpy as np

from splitpose.crops.geometry import CropRegion, crop_region
from splitpose.errors import InputError

MAX_ABS_PX = 1e6
"""Px; no picture is that large, and squares far larger can no longer be mapped to a crop and back."""


def validate_bbox(box: np.ndarray) -> np.ndarray:
    """The box, (4,) x0 y0 x1 y1 px. Raises InputError where it is incomplete, infinite or empty."""
    x0, y0, x1, y1 = box
    if not (np.abs(box) <= MAX_ABS_PX).all():
        raise InputError(f"the box {_text(box)} is incomplete or infinite; give all four numbers in px, or none")
    if not (x0 < x1 and y0 < y1):
        raise InputError(f"the box {_text(box)} is empty; x0 must be less than x1, and y0 less than y1")
    return box


def bbox_region(box: np.ndarray, width: int, height: int, padding: float) -> CropRegion:
    """The square around a checked box, `margin` times its longer side, in a picture of this size.

    Raises InputError where the box lies outside the picture.
    """
    x0, y0, x1, y1 = box
    if not (x0 < width and x1 > 0 and y0 < height and y1 > 0):
        raise InputError(f"the box {_text(box)} lies outside the picture, which is {width} x {height} px")
    return crop_region(np.empty((0, 2)), box, "bbox", padding)


def _text(box: np.ndarray) -> str:
    return f"({', '.join(f'{edge:g}' for edge in box)})"
