"""The crop: a model's input, with its joints and its position in the image."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Crop:
    """A square crop of one person instance."""

    id: str
    """Id of the instance in the annotation table."""
    pixels: np.ndarray
    """(S, S, 3) uint8."""
    joints: np.ndarray
    """(K, 2) crop px, NaN where not annotated."""
    to_crop: np.ndarray
    """(2, 3) affine map from image px to crop px."""
