"""Between joints in crop pixels and what a model gives: coordinates or heatmaps.

Legend: B crops, K joints, H x W heatmap, S the crop's side in px. Pixel centres are at integers, so a crop spans
-0.5 to S - 0.5. `encode` works on Keras tensors (keras is imported when it is first called); `decode` is NumPy
alone, so that a deployed model needs no Keras.
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import Any, Protocol

import numpy as np

STRIDE = 4
"""Crop px a heatmap px: 224 to 56 in the paper (Figure 2)."""


class Codec(Protocol):
    """Joints to a model's targets and a model's outputs to joints."""

    def encode(self, joints: Any) -> Any:
        """(B, K, 2) joints in crop px -> targets shaped like the model's output."""

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """The model's output -> (B, K, 2) float32 joints in crop px."""

    def confidence(self, outputs: np.ndarray) -> np.ndarray:
        """The model's output -> (B, K) float32 confidence from 0 to 1, NaN where the model gives none."""


@dataclass(frozen=True)
class Coordinates:
    """Targets (B, K, 2): position over the crop's side, from -0.5 to 0.5, its middle at 0."""

    size: int

    def encode(self, joints: Any) -> Any:
        """(B, K, 2) crop px -> (B, K, 2)."""
        return (joints + 0.5) / self.size - 0.5

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """(B, K, 2) -> (B, K, 2) crop px."""
        return (np.asarray(outputs, np.float32) + np.float32(0.5)) * np.float32(self.size) - np.float32(0.5)

    def confidence(self, outputs: np.ndarray) -> np.ndarray:
        """A regressed coordinate carries no confidence: (B, K) of NaN."""
        return np.full(np.shape(outputs)[:2], np.nan, np.float32)


@dataclass(frozen=True)
class Heatmaps:
    """Targets (B, H, W, K): a Gaussian bump of height 1 at each joint (facts.md, Training).

    `width` is the bump's full width at half maximum in heatmap px (the authors' code: 3).
    """

    size: int
    width: float

    @property
    def side(self) -> int:
        """Side of a heatmap in px."""
        return self.size // STRIDE

    def encode(self, joints: Any) -> Any:
        """(B, K, 2) crop px -> (B, H, W, K)."""
        from keras import ops

        sigma = self.width / (2 * sqrt(2 * log(2)))
        grid = ops.arange(self.side, dtype="float32")
        centres = (joints + 0.5) / STRIDE - 0.5
        across = ops.exp(-ops.square(grid[None, None] - centres[..., :1]) / (2 * sigma**2))
        down = ops.exp(-ops.square(grid[None, None] - centres[..., 1:]) / (2 * sigma**2))
        return ops.einsum("bkh,bkw->bhwk", down, across)

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """(B, H, W, K) -> (B, K, 2) crop px: the centre of each heatmap's highest pixel."""
        batch, height, width, joints = outputs.shape
        highest = np.asarray(outputs).reshape(batch, height * width, joints).argmax(axis=1)
        places = np.stack([highest % width, highest // width], axis=-1).astype(np.float32)
        return (places + np.float32(0.5)) * STRIDE - np.float32(0.5)

    def confidence(self, outputs: np.ndarray) -> np.ndarray:
        """(B, H, W, K) -> (B, K): the height of each heatmap's highest pixel, cut to 0..1."""
        return np.clip(np.asarray(outputs, np.float32).max(axis=(1, 2)), 0, 1)


def codec_of(outputs: np.ndarray, size: int) -> Codec:
    """The codec that decodes these outputs of a model for crops of `size` px, told by their shape."""
    return Coordinates(size) if outputs.ndim == 3 else Heatmaps(size, width=0.0)
