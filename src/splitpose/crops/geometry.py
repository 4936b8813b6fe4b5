"""From a person in a picture to a square crop and back: boxes and affine maps.

Pixel centres are at integers in picture and crop alike: a crop of side S spans -0.5 to S - 0.5, its middle is at
(S - 1) / 2. Affine maps are (2, 3) float64: [x', y'] = A[:, :2] @ [x, y] + A[:, 2].
"""

from dataclasses import dataclass

import cv2
import numpy as np

from splitpose.settings import RegionFrom


@dataclass(frozen=True)
class CropRegion:
    """A square in the picture: its middle (x, y) and side, px."""

    x: float
    y: float
    side: float


def crop_region(joints: np.ndarray, box: np.ndarray, region_from: RegionFrom, padding: float) -> CropRegion:
    """The square around a person, `margin` times the longer side of the person's box.

    Args:
        joints: (K, 2) px, NaN where not annotated.
        box: (4,) x0 y0 x1 y1 px; only used, and then without NaN, if `region_from` is "bbox".
        around: "joints" is the box of the annotated joints (paper, section 4: "cropped to loosely fit the person"),
            "bbox" the given one, which is all that a model on a phone gets.
        margin: side of the square in longer sides of the box.
    """
    if region_from == "joints":
        box = np.concatenate([np.nanmin(joints, axis=0), np.nanmax(joints, axis=0)])
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0, 1.0) * padding
    return CropRegion(float(x0 + x1) / 2, float(y0 + y1) / 2, float(side))


def full_image_region(width: int, height: int) -> CropRegion:
    """The smallest square that holds a picture of this size, px, about its middle."""
    return CropRegion((width - 1) / 2, (height - 1) / 2, max(width, height))


def crop_affine(
    region: CropRegion,
    size: int,
    rotation: float = 0.0,
    scale: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    flip: bool = False,
) -> np.ndarray:
    """The affine map from picture px to crop px that turns, scales and shifts the person about the middle.

    Args:
        region: the square that fills the crop when nothing is turned, scaled or shifted.
        size: the crop's side in px.
        rotation: degrees, clockwise as seen (y runs down).
        scale: of the person; 2 doubles it.
        shift: of the person, in sides of the crop.
        mirror: flip left and right at last.
    """
    zoom = scale * size / region.side
    angle = np.deg2rad(rotation)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (size - 1) / 2
    offset = np.array([middle, middle]) + size * np.array(shift) - turn @ np.array([region.x, region.y])
    affine = np.hstack([turn, offset[:, None]])
    if flip:
        affine[0] = [0, 0, size - 1] - affine[0]
    return affine


def apply_affine(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points (..., 2)."""
    mapped: np.ndarray = points @ affine[:, :2].T + affine[:, 2]
    return mapped


def invert_affine(affine: np.ndarray) -> np.ndarray:
    """The map back."""
    inverse = np.linalg.inv(affine[:, :2])
    return np.hstack([inverse, -inverse @ affine[:, 2:]])


def warp_crop(picture: np.ndarray, affine: np.ndarray, size: int) -> np.ndarray:
    """The crop (size, size, 3) uint8 of a picture; black where the picture ends."""
    return ImagePyramid(picture).warp(affine, size)


class ImagePyramid:
    """A picture (H, W, 3) uint8 that crops are cut from; what several crops share is computed once."""

    def __init__(self, pixels: np.ndarray):
        # OpenCV warps four channels to the same values as three in half the time.
        self._reduced = {1: cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA)}

    def warp(self, affine: np.ndarray, size: int) -> np.ndarray:
        """The crop (size, size, 3) uint8; black where the picture ends.

        A picture that shrinks by two or more is first reduced by area, so that fine patterns do not flicker.
        """
        shrink = int(1 / np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        reduced = self._reduced_by(max(1, shrink))
        if shrink > 1:
            fy, fx = np.divide(reduced.shape[:2], self._reduced[1].shape[:2])
            enlarge = np.array([[1 / fx, 0, 0.5 / fx - 0.5], [0, 1 / fy, 0.5 / fy - 0.5]])
            affine = np.hstack([affine[:, :2] @ enlarge[:, :2], apply_affine(affine, enlarge[:, 2])[:, None]])
        crop = cv2.warpAffine(reduced, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        bgr: np.ndarray = cv2.cvtColor(crop, cv2.COLOR_BGRA2BGR)
        return bgr

    def _reduced_by(self, shrink: int) -> np.ndarray:
        if shrink not in self._reduced:
            whole = self._reduced[1]
            height, width = (max(1, round(side / shrink)) for side in whole.shape[:2])
            self._reduced[shrink] = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
        return self._reduced[shrink]
