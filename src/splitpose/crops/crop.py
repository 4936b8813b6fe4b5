"""What is cut out of a picture and goes to a model."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Crop:
    """A square picture of one person.

    pixels: (S, S, 3) uint8; joints: (K, 2) crop px, NaN where not annotated; to_crop: (2, 3) picture px to crop px.
    """

    id: str
    pixels: np.ndarray
    joints: np.ndarray
    to_crop: np.ndarray
