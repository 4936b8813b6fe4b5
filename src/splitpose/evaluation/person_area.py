"""The area of a person, which OKS divides distances by."""

from typing import Literal

import numpy as np

AREA_PER_BOX = 0.53
"""Area of a person relative to the bounding box, where no area is annotated; the factor of
https://github.com/jin-s13/xtcocoapi (xtcocotools/cocoeval.py), which mmpose and Ultralytics use, too."""

AreaSource = Literal["annotation", "box", "joints", "median", "none"]


def person_areas(areas: np.ndarray, boxes: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each person's area and its origin: annotation, else box, else joints, else the median of the others.

    From the joints, it is the square of the longer side of their extent, which does not vanish for joints on a
    line. Of 198 people in COCO's photographs with all joints, it is 1.06 times the annotated area (median).
    A person with a single joint has no extent, but predictions of this person must not count as false.

    Args:
        areas: (N,) px^2 as annotated, NaN or 0 where missing.
        boxes: (N, 4) x0, y0, x1, y1 in px, NaN where missing.
        joints: (N, K, 2) px, NaN where missing.

    Returns:
        (N,) px^2, NaN if no person has any, and (N,) AreaSource.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    from_boxes = np.where((sides > 0).all(axis=1), AREA_PER_BOX * sides.prod(axis=1), np.nan)
    lowest, highest = np.nan_to_num(joints, nan=np.inf).min(axis=1), np.nan_to_num(joints, nan=-np.inf).max(axis=1)
    extents = np.maximum(highest - lowest, 0.0).max(axis=1) ** 2
    candidates = {"annotation": areas, "box": from_boxes, "joints": extents}
    conditions = [values > 0 for values in candidates.values()]
    known = np.select(conditions, list(candidates.values()), np.nan)
    sources = np.select(conditions, [np.full(len(areas), source) for source in candidates], "none")
    if np.isfinite(known).any():
        sources = np.where(np.isnan(known), "median", sources)
        known = np.where(np.isnan(known), np.nanmedian(known), known)
    return known, sources
