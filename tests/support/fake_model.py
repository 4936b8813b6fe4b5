"""A fake pose model that detects synthetic persons at places that a test chooses, and guesses elsewhere."""

from dataclasses import dataclass, field

import numpy as np

from splitpose.crops.geometry import CropRegion
from splitpose.inference.pose_model import Prediction
from splitpose.inference.sliding_window import overlap
from splitpose.skeleton import JOINTS

PADDING = 1.5
HIGH_CONFIDENCE, LOW_CONFIDENCE = 0.9, 0.4

POSE = np.stack([np.linspace(-0.5, 0.5, len(JOINTS)), np.resize([-0.5, 0.5], len(JOINTS))], axis=1)
"""(K, 2): joints whose box has side 1 and its centre at 0."""


def person_joints(x: float, y: float, size: float) -> np.ndarray:
    """Return joints (K, 2) px whose box has this centre and side."""
    return np.array([x, y]) + size * POSE


def person_bbox(x: float, y: float, size: float) -> np.ndarray:
    """Return the box (4,) px of such a person's joints."""
    return np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2])


def person_region(x: float, y: float, size: float) -> CropRegion:
    """Return the crop region of such a person."""
    return CropRegion(x, y, PADDING * size)


@dataclass
class FakeModel:
    """Detects the persons in `persons`, (x, y, size) px each, in regions whose IoU with theirs is above 0.35.

    Of several persons it detects the nearest. Elsewhere it guesses a small person in the region's centre, with low
    confidence.
    """

    persons: list[tuple[float, float, float]]
    regions_from_joints: bool = True
    padding: float = PADDING
    joints_padding: float = PADDING
    has_confidence: bool = True
    person_threshold: float = 0.0
    confidences: list[float] = field(default_factory=list)
    """The confidence of each person; `HIGH_CONFIDENCE` if it is empty."""
    regions: list[CropRegion] = field(default_factory=list)
    """The regions that were predicted."""

    def predict_region(self, image: object, region: CropRegion) -> Prediction:
        """See PoseModel.predict_region."""
        self.regions.append(region)
        nearest = max(self.persons, key=lambda person: iou(person_region(*person), region), default=None)
        is_detected = nearest is not None and iou(person_region(*nearest), region) > 0.35
        joints = (
            person_joints(*nearest)
            if is_detected and nearest
            else person_joints(region.x, region.y, 0.2 * region.side)
        )
        confidence = self._confidence(nearest) if is_detected and nearest else LOW_CONFIDENCE
        return Prediction(joints, np.full(len(JOINTS), confidence), region)

    def _confidence(self, person: tuple[float, float, float]) -> float:
        return self.confidences[self.persons.index(person)] if self.confidences else HIGH_CONFIDENCE


def iou(first: CropRegion, second: CropRegion) -> float:
    """Return the intersection over union of two regions."""
    smaller = min(first.side, second.side) ** 2
    intersection = overlap(first, second) * smaller
    return intersection / (first.side**2 + second.side**2 - intersection)
