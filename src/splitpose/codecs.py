"""Between joints in crop pixels and what a model gives: coordinates or heatmaps.

Legend: B crops, K joints, H x W heatmap, S the crop's side in px. Pixel centres are at integers, so a crop spans
-0.5 to S - 0.5. `encode` works on Keras tensors (keras is imported when it is first called); `decode` is NumPy
alone, so that a deployed model needs no Keras.
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import Any, Protocol

import numpy as np

from splitpose.settings import Decoding
from splitpose.skeleton import FLIP_INDICES

STRIDE = 4
"""Crop px a heatmap px: 224 to 56 in the paper (Figure 2)."""

LOG_EPSILON = 1e-10
"""Below it a heatmap counts as this, so that its logarithm is a number."""

MIN_CURVATURE = 1e-3
"""A bump's logarithm bends by more than this a square heatmap px; one of width 5 by 0.1, and rounding by 1e-6."""


class Codec(Protocol):
    """Joints to a model's targets and a model's outputs to joints."""

    def encode(self, joints: Any) -> Any:
        """(B, K, 2) joints in crop px -> targets shaped like the model's output."""

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """The model's output -> (B, K, 2) float32 joints in crop px."""

    def confidence(self, outputs: np.ndarray) -> np.ndarray:
        """The model's output -> (B, K) float32 confidence from 0 to 1, NaN where the model gives none."""

    def mirror(self, outputs: np.ndarray) -> np.ndarray:
        """The model's output for crops -> what it would be for the same crops mirrored, and the other way round."""


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

    def mirror(self, outputs: np.ndarray) -> np.ndarray:
        """(B, K, 2) -> (B, K, 2): x changes its sign, left and right their places."""
        return np.asarray(outputs)[:, FLIP_INDICES] * np.array([-1, 1], np.float32)


@dataclass(frozen=True)
class Heatmaps:
    """Targets (B, H, W, K): a Gaussian bump of height 1 at each joint.

    `width` is the bump's full width at half maximum in heatmap px (the authors' code: 3). `decoding` says where in
    a heatmap its joint is:

    - "argmax": at the centre of its highest pixel, up to half a heatmap px off (the authors' code).
    - "dark": at the top of the bump around that pixel, at most one heatmap px from its centre. The logarithm of a
      Gaussian is a parabola, so slopes and bends at one place tell where its top is; they are taken from the
      heatmap smoothed by a Gaussian of the bump's own width, as learned heatmaps are uneven (distribution-aware
      coordinate representation, Zhang et al., CVPR 2020, section 3.2).
    """

    size: int
    width: float
    decoding: Decoding = "argmax"

    @property
    def side(self) -> int:
        """Side of a heatmap in px."""
        return self.size // STRIDE

    @property
    def sigma(self) -> float:
        """Standard deviation of a bump in heatmap px."""
        return self.width / (2 * sqrt(2 * log(2)))

    def encode(self, joints: Any) -> Any:
        """(B, K, 2) crop px -> (B, H, W, K)."""
        from keras import ops

        grid = ops.arange(self.side, dtype=joints.dtype)
        centres = (joints + 0.5) / STRIDE - 0.5
        across = ops.exp(-ops.square(grid[None, None] - centres[..., :1]) / (2 * self.sigma**2))
        down = ops.exp(-ops.square(grid[None, None] - centres[..., 1:]) / (2 * self.sigma**2))
        return ops.einsum("bkh,bkw->bhwk", down, across)

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """(B, H, W, K) -> (B, K, 2) crop px."""
        width = outputs.shape[2]
        highest = _highest(outputs)[:, 0]
        places = np.stack([highest % width, highest // width], axis=-1)
        if self.decoding == "dark":
            tops = _tops(np.moveaxis(np.asarray(outputs, np.float32), -1, 1), places, self.sigma)
            places = np.clip(tops, places - 1, places + 1)  # the parabola was measured no further out
        return (places.astype(np.float32) + np.float32(0.5)) * STRIDE - np.float32(0.5)

    def confidence(self, outputs: np.ndarray) -> np.ndarray:
        """(B, H, W, K) -> (B, K): the height of each heatmap's highest pixel, cut to 0..1."""
        pixels = np.asarray(outputs, np.float32).reshape(len(outputs), -1, outputs.shape[-1])
        # As `max` would find, in a fifth of the time: NumPy is slow where the joints are the last axis.
        return np.clip(np.take_along_axis(pixels, _highest(outputs), axis=1)[:, 0], 0, 1)

    def mirror(self, outputs: np.ndarray) -> np.ndarray:
        """(B, H, W, K) -> (B, H, W, K): each map mirrored, left and right in each other's places."""
        return np.asarray(outputs)[:, :, ::-1, FLIP_INDICES]


def _highest(outputs: np.ndarray) -> np.ndarray:
    """(B, H, W, K) -> (B, 1, K): which pixel of each heatmap, counted row by row, is the highest."""
    pixels = np.asarray(outputs).reshape(len(outputs), -1, outputs.shape[-1])
    highest: np.ndarray = pixels.argmax(axis=1, keepdims=True)
    return highest


def _tops(maps: np.ndarray, places: np.ndarray, sigma: float) -> np.ndarray:
    """The tops of the bumps at (B, K, 2) whole-numbered places x, y of maps (B, K, H, W): (B, K, 2), heatmap px.

    A place on the border has no neighbours on one side; its bump is measured one pixel further in, which for a
    parabola is all the same. Where there is no bump, because the map is flat, the place stays.
    """
    height, width = maps.shape[2:]
    middle = np.clip(places, 1, (width - 2, height - 2))
    across, down = _smoothing(width, sigma)[middle[..., 0]], _smoothing(height, sigma)[middle[..., 1]]
    logs = np.log(np.maximum(down @ maps @ across.swapaxes(-1, -2), LOG_EPSILON))  # (B, K, 3, 3) around the middle

    slope_x, slope_y = (logs[..., 1, 2] - logs[..., 1, 0]) / 2, (logs[..., 2, 1] - logs[..., 0, 1]) / 2
    bend_x = logs[..., 1, 2] - 2 * logs[..., 1, 1] + logs[..., 1, 0]
    bend_y = logs[..., 2, 1] - 2 * logs[..., 1, 1] + logs[..., 0, 1]
    twist = (logs[..., 2, 2] - logs[..., 2, 0] - logs[..., 0, 2] + logs[..., 0, 0]) / 4
    determinant = bend_x * bend_y - twist**2
    is_bump = (bend_x < -MIN_CURVATURE) & (determinant > MIN_CURVATURE**2)
    steps = np.stack([twist * slope_y - bend_y * slope_x, twist * slope_x - bend_x * slope_y], axis=-1)
    tops = middle + steps / np.where(is_bump, determinant, 1)[..., None]
    return np.where(is_bump[..., None], tops, places)


def _smoothing(side: int, sigma: float) -> np.ndarray:
    """(side, 3, side) float32: for each pixel, a Gaussian's weights around the pixel before it, it, and the next.

    Near a border all three are cut off at the distance at which the first of them reaches it, because a smoothing
    that looks further to one side than to the other would move the bump. The outermost pixels have no weights.
    """
    pixel = np.arange(side)
    distance = np.abs(pixel - (pixel[:, None] + np.array([-1, 0, 1]))[..., None])
    reach = np.minimum(pixel, side - 1 - pixel) - 1
    weights = np.where(distance <= reach[:, None, None], np.exp(-(distance**2) / (2 * sigma**2)), 0)
    return weights.astype(np.float32)


def codec_of(outputs: np.ndarray, size: int) -> Codec:
    """The codec that decodes these outputs of a model for crops of `size` px, told by their shape.

    Outputs alone do not say how wide the bumps are that the model learned, so heatmaps are decoded by "argmax".
    """
    return Coordinates(size) if outputs.ndim == 3 else Heatmaps(size, width=0.0)
