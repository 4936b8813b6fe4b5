"""A model that sees one made-up person wherever a test puts the person, and guesses elsewhere."""

from dataclasses import dataclass, field

import numpy as np

from splitpose.crops.geometry import CropRegion
from splitpose.inference.pose_model import Look
from splitpose.inference.sliding_window import overlap
from splitpose.skeleton import JOINTS

MARGIN = 1.5
SURE, UNSURE = 0.9, 0.4

POSE = np.stack([np.linspace(-0.5, 0.5, len(JOINTS)), np.resize([-0.5, 0.5], len(JOINTS))], axis=1)
"""(K, 2): joints whose box has side 1 and its middle at 0."""


def person(x: float, y: float, size: float) -> np.ndarray:
    """Joints (K, 2) px whose box has this middle and side."""
    return np.array([x, y]) + size * POSE


def square(x: float, y: float, size: float) -> CropRegion:
    """The square that such a person asks for."""
    return CropRegion(x, y, MARGIN * size)


@dataclass
class FakeModel:
    """Sees the people in `people`, (x, y, size) px each, in a square that overlaps with theirs by more than 0.35.

    Of several it sees the nearest to the square. Elsewhere it guesses somebody in the square's middle, unsurely.
    """

    people: list[tuple[float, float, float]]
    boxes_are_of_joints: bool = True
    margin: float = MARGIN
    joints_margin: float = MARGIN
    gives_confidence: bool = True
    looks: list[CropRegion] = field(default_factory=list)

    def look(self, picture: object, region: CropRegion) -> Look:
        """See Model.look."""
        self.looks.append(region)
        seen = max(self.people, key=lambda each: overlap(square(*each), region), default=None)
        sees = seen is not None and overlap(square(*seen), region) > 0.35
        joints = person(*seen) if sees and seen else person(region.x, region.y, 0.2 * region.side)
        return Look(joints, np.full(len(JOINTS), SURE if sees else UNSURE), region)
