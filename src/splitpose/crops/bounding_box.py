"""The crop region of a bounding box that a user or a detector provides, and validation of the box."""

import numpy as np

from splitpose.crops.geometry import CropRegion, crop_region
from splitpose.errors import InputError

MAX_ABS_PX = 1e6
"""Maximum absolute coordinate in px. No image is that large, and the regions of much larger boxes cannot be mapped
to a crop and back in floating point."""


def validate_bbox(bbox: np.ndarray) -> np.ndarray:
    """Return the bounding box, (4,) x0 y0 x1 y1 px, if it is valid.

    Raises:
        InputError: the box is incomplete, infinite or empty.
    """
    x0, y0, x1, y1 = bbox
    if not (np.abs(bbox) <= MAX_ABS_PX).all():
        raise InputError(
            f"the box {_format_bbox(bbox)} is incomplete or infinite; give all four numbers in px, or none"
        )
    if not (x0 < x1 and y0 < y1):
        raise InputError(f"the box {_format_bbox(bbox)} is empty; x0 must be less than x1, and y0 less than y1")
    return bbox


def bbox_region(bbox: np.ndarray, width: int, height: int, padding: float) -> CropRegion:
    """Return the crop region of a valid bounding box in an image of this size.

    Args:
        bbox: (4,) x0 y0 x1 y1 px.
        width: width of the image in px.
        height: height of the image in px.
        padding: side of the region relative to the longer side of the box.

    Raises:
        InputError: the box is outside the image.
    """
    x0, y0, x1, y1 = bbox
    if not (x0 < width and x1 > 0 and y0 < height and y1 > 0):
        raise InputError(f"the box {_format_bbox(bbox)} is outside the image, which is {width} x {height} px")
    return crop_region(np.empty((0, 2)), bbox, "bbox", padding)


def _format_bbox(bbox: np.ndarray) -> str:
    return f"({', '.join(f'{edge:g}' for edge in bbox)})"
