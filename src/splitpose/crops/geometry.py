"""Geometry of crops: the crop region around a person instance, affine maps and warping.

Pixel centres are at integers in images and crops: a crop of side S spans -0.5 to S - 0.5, its centre is at
(S - 1) / 2. Affine maps are (2, 3) float64: [x', y'] = A[:, :2] @ [x, y] + A[:, 2].
"""

from dataclasses import dataclass

import cv2
import numpy as np

from splitpose.settings import RegionFrom


@dataclass(frozen=True)
class CropRegion:
    """A square region of an image: its centre (x, y) and its side, in px."""

    x: float
    y: float
    side: float


def crop_region(joints: np.ndarray, bbox: np.ndarray, region_from: RegionFrom, padding: float) -> CropRegion:
    """Return the square region around a person instance.

    Args:
        joints: (K, 2) px, NaN where not annotated.
        bbox: (4,) x0 y0 x1 y1 px; used only, and then without NaN, if `region_from` is "bbox".
        region_from: "joints" for the bounding box of the annotated joints (paper, section 4: "cropped to loosely
            fit the person"), "bbox" for the given bounding box, the only one that is available on a device.
        padding: side of the region relative to the longer side of the bounding box.
    """
    if region_from == "joints":
        bbox = np.concatenate([np.nanmin(joints, axis=0), np.nanmax(joints, axis=0)])
    x0, y0, x1, y1 = bbox
    side = max(x1 - x0, y1 - y0, 1.0) * padding
    return CropRegion(float(x0 + x1) / 2, float(y0 + y1) / 2, float(side))


def full_image_region(width: int, height: int) -> CropRegion:
    """Return the smallest square region that contains an image of this size in px and has the same centre."""
    return CropRegion((width - 1) / 2, (height - 1) / 2, max(width, height))


def crop_affine(
    region: CropRegion,
    size: int,
    rotation: float = 0.0,
    scale: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    flip: bool = False,
) -> np.ndarray:
    """Return the affine map from image px to crop px; it rotates and scales around the region's centre.

    Args:
        region: the region that fills the crop without rotation, scaling and shift.
        size: side of the crop in px.
        rotation: degrees, clockwise as displayed (y points down).
        scale: magnification; at 2 the person appears twice as large.
        shift: translation (x, y) in sides of the crop.
        flip: whether to flip the crop horizontally at the end.
    """
    zoom = scale * size / region.side
    angle = np.deg2rad(rotation)
    linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = (size - 1) / 2
    offset = np.array([centre, centre]) + size * np.array(shift) - linear @ np.array([region.x, region.y])
    affine = np.hstack([linear, offset[:, None]])
    if flip:
        affine[0] = [0, 0, size - 1] - affine[0]
    return affine


def apply_affine(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the points (..., 2) mapped by an affine map."""
    mapped: np.ndarray = points @ affine[:, :2].T + affine[:, 2]
    return mapped


def invert_affine(affine: np.ndarray) -> np.ndarray:
    """Return the inverse of an affine map."""
    inverse = np.linalg.inv(affine[:, :2])
    return np.hstack([inverse, -inverse @ affine[:, 2:]])


class ImagePyramid:
    """An image (H, W, 3) uint8 from which crops are warped; its downscaled versions are computed once."""

    def __init__(self, pixels: np.ndarray):
        # OpenCV warps four channels to the same values as three in half the time.
        self._levels: dict[int, np.ndarray] = {1: cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA)}

    def warp(self, affine: np.ndarray, size: int) -> np.ndarray:
        """Warp the image to a crop (size, size, 3) uint8; black outside the image.

        If the map reduces the image by a factor of two or more, the image is first downscaled by area
        interpolation, which prevents aliasing.
        """
        factor = int(1 / np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        level = self._level(max(1, factor))
        if factor > 1:
            fy, fx = np.divide(level.shape[:2], self._levels[1].shape[:2])
            upscale = np.array([[1 / fx, 0, 0.5 / fx - 0.5], [0, 1 / fy, 0.5 / fy - 0.5]])
            affine = np.hstack([affine[:, :2] @ upscale[:, :2], apply_affine(affine, upscale[:, 2])[:, None]])
        crop = cv2.warpAffine(level, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        bgr: np.ndarray = cv2.cvtColor(crop, cv2.COLOR_BGRA2BGR)
        return bgr

    def _level(self, factor: int) -> np.ndarray:
        if factor not in self._levels:
            original = self._levels[1]
            height, width = (max(1, round(side / factor)) for side in original.shape[:2])
            self._levels[factor] = cv2.resize(original, (width, height), interpolation=cv2.INTER_AREA)
        return self._levels[factor]
