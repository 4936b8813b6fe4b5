"""How well joints, bounding boxes and images fit each other, for recorded or converted coordinates."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, joints_of
from splitpose.validation.coordinate_systems import Hypothesis

MARGIN = 0.1
"""Part of the sides of a box or image by which joints may be outside: COCO's boxes enclose what is visible."""


@dataclass(frozen=True)
class People:
    """The people of one file."""

    joints: np.ndarray
    """(N, K, 2) as recorded, NaN where not annotated."""
    boxes: np.ndarray
    """(N, 2, 2) corners as recorded, NaN without a box."""
    sizes: np.ndarray
    """(N, 1, 2) width and height of the image, px."""

    def take(self, rows: np.ndarray) -> "People":
        """Return some rows, by index or mask."""
        return People(self.joints[rows], self.boxes[rows], self.sizes[rows])

    def converted(self, hypothesis: Hypothesis) -> "People":
        """Return the people with joints or boxes in px, if the hypothesis is true."""
        if hypothesis.subject == "joints":
            return replace(self, joints=hypothesis.convert(self.joints, self.sizes, self.boxes))
        return replace(self, boxes=hypothesis.convert(self._box_points(), self.sizes, self.boxes))

    def _box_points(self) -> np.ndarray:
        """Return the numbers of the file: readers of COCO subtract 0.5 px from boxes, which counts in 0..1."""
        return self.boxes + 0.5 if np.nanmin(self.boxes, initial=0) < -0.05 else self.boxes


def people_of(table: pd.DataFrame) -> People:
    """Return the people of an annotation table; boxes that are incomplete or without area count as none."""
    boxes = table[BOX_COLUMNS].to_numpy(np.float64).reshape(-1, 2, 2)
    without_area = ~(boxes[:, 1] != boxes[:, 0]).all(axis=1) | ~np.isfinite(boxes).all(axis=(1, 2))
    joints = joints_of(table)
    joints = np.where(np.isfinite(joints).all(axis=-1, keepdims=True), joints, np.nan)
    return People(
        joints,
        np.where(without_area[:, None, None], np.nan, boxes),
        table[["width", "height"]].to_numpy(np.float64)[:, None],
    )


def extents(joints: np.ndarray) -> np.ndarray:
    """Return the corners (N, 2, 2) of the rectangles around joints (N, K, 2); NaN without joints."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows without joints
        return np.stack([np.nanmin(joints, axis=1), np.nanmax(joints, axis=1)], axis=1)


def overlap(people: People) -> np.ndarray:
    """Return the intersection over union (N,) of each box and the rectangle around the joints; 0 if reversed."""
    rectangles = extents(people.joints)
    sides = np.minimum(rectangles[:, 1], people.boxes[:, 1]) - np.maximum(rectangles[:, 0], people.boxes[:, 0])
    common = np.maximum(sides, 0).prod(axis=1)
    areas = [np.maximum(box[:, 1] - box[:, 0], 0).prod(axis=1) for box in (rectangles, people.boxes)]
    union = areas[0] + areas[1] - common
    result: np.ndarray = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return result


def containment(people: People) -> np.ndarray:
    """Return the area (N,) that each box and the rectangle around the joints share, relative to the smaller one.

    It is high for boxes around the whole person as well as for those around the torso; 0 without a box or joints.
    """
    rectangles, boxes = extents(people.joints), people.boxes
    common = np.maximum(np.minimum(rectangles[:, 1], boxes[:, 1]) - np.maximum(rectangles[:, 0], boxes[:, 0]), 0)
    smaller = np.minimum(*((box[:, 1] - box[:, 0]).clip(0).prod(axis=1) for box in (rectangles, boxes)))
    area = common.prod(axis=1)
    result: np.ndarray = np.divide(area, smaller, out=np.zeros_like(area), where=smaller > 0)
    return result


def gap(people: People) -> np.ndarray:
    """Return the distance (N,) between each box and the rectangle around the joints, in the longest of their sides.

    It is the larger one of the horizontal and the vertical distance; NaN without a box or joints.
    """
    rectangles, boxes = extents(people.joints), people.boxes
    distance = np.maximum(boxes[:, 0] - rectangles[:, 1], rectangles[:, 0] - boxes[:, 1]).max(axis=1).clip(0)
    sides = np.maximum(*(np.abs(box[:, 1] - box[:, 0]) for box in (rectangles, boxes))).max(axis=1)
    result: np.ndarray = np.divide(distance, sides, out=np.full_like(distance, np.nan), where=sides > 0)
    return result


def inside_box(people: People, margin: float = MARGIN) -> np.ndarray:
    """Return the fraction (N,) of each person's joints that are in the box; NaN without joints or box."""
    return _inside(people.joints, people.boxes, margin)


def inside_image(people: People, margin: float = MARGIN) -> np.ndarray:
    """Return the fraction (N,) of each person's joints, and corners of the box, that are in the image."""
    borders = np.concatenate([np.zeros_like(people.sizes), people.sizes - 1], axis=1)
    points = np.concatenate([people.joints, people.boxes], axis=1)
    return _inside(points, borders, margin)


def _inside(points: np.ndarray, boxes: np.ndarray, margin: float) -> np.ndarray:
    padding = margin * np.abs(boxes[:, 1:] - boxes[:, :1])
    annotated = np.isfinite(points).all(axis=-1)
    is_inside = ((points >= boxes[:, :1] - padding) & (points <= boxes[:, 1:] + padding)).all(axis=-1)
    count = annotated.sum(axis=1).astype(np.float64)
    fraction = np.divide(
        (is_inside & annotated).sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0
    )
    return np.where(np.isfinite(boxes).all(axis=(1, 2)), fraction, np.nan)
