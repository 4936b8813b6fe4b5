"""Conversion between joints in crop pixels and the outputs of a model: coordinates or heatmaps.

Legend: B crops, K joints, H x W heatmap, S the crop's side in px. Pixel centres are at integers, so a crop spans
    -0.5 to S - 0.5. `encode` works on Keras tensors (keras is imported when it is first called); `decode` uses
    NumPy only, so that a deployed model does not need Keras.
"""

from dataclasses import dataclass
from functools import cache
from math import log, sqrt
from typing import Any, Protocol

import numpy as np

from splitpose.settings import Decoding
from splitpose.skeleton import FLIP_INDICES

STRIDE = 4
"""Crop px per heatmap px: 224 to 56 in the paper (Figure 2)."""

LOG_EPSILON = 1e-10
"""Lower bound of a heatmap's values before the logarithm."""

MIN_CURVATURE = 1e-3
"""Minimum curvature of a smoothed peak's logarithm, per square heatmap px. A Gaussian of full width at half maximum
5 has 0.1; rounding causes 1e-6."""


class Codec(Protocol):
    """Encoding of joints as a model's targets and decoding of a model's outputs to joints."""

    def encode(self, joints: Any) -> Any:
        """Encode joints (B, K, 2) in crop px as targets of the shape of the model's outputs."""

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Decode the model's outputs to joints (B, K, 2) float32 in crop px."""

    def confidence(self, outputs: np.ndarray) -> np.ndarray:
        """Return the confidence (B, K) float32 from 0 to 1 of the decoded joints, NaN where the model has none."""

    def flip(self, outputs: np.ndarray) -> np.ndarray:
        """Convert outputs for crops to outputs for the horizontally flipped crops, and vice versa."""


@dataclass(frozen=True)
class Coordinates:
    """Targets (B, K, 2): position relative to the crop's centre in sides of the crop, from -0.5 to 0.5."""

    size: int

    def encode(self, joints: Any) -> Any:
        """Encode joints (B, K, 2) in crop px as relative positions (B, K, 2)."""
        return (joints + 0.5) / self.size - 0.5

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Decode relative positions (B, K, 2) to joints (B, K, 2) in crop px."""
        return (np.asarray(outputs, np.float32) + np.float32(0.5)) * np.float32(self.size) - np.float32(0.5)

    def confidence(self, outputs: np.ndarray) -> np.ndarray:
        """Return NaN (B, K): regressed coordinates have no confidence."""
        return np.full(np.shape(outputs)[:2], np.nan, np.float32)

    def flip(self, outputs: np.ndarray) -> np.ndarray:
        """Flip coordinates (B, K, 2): negate x and swap left and right joints."""
        return np.asarray(outputs)[:, FLIP_INDICES] * np.array([-1, 1], np.float32)


@dataclass(frozen=True)
class Heatmaps:
    """Targets (B, H, W, K): a Gaussian of height 1 at each joint.

    Args:
        size: the crop's side in px.
        fwhm: full width at half maximum of the Gaussian in heatmap px (the authors' code: 3).
        decoding: how a joint's position is read from its heatmap.

            - "argmax": the centre of the highest pixel, up to half a heatmap px off (the authors' code).
            - "dark": the maximum of the peak around that pixel, at most one heatmap px from its centre. The
              logarithm of a Gaussian is a parabola, so the gradient and Hessian at one position determine its
              maximum; they are taken from the heatmap smoothed by a Gaussian of the same width, because learned
              heatmaps are uneven (distribution-aware coordinate representation, Zhang et al., CVPR 2020, section
              3.2).
    """

    size: int
    fwhm: float
    decoding: Decoding = "argmax"

    @property
    def side(self) -> int:
        """Side of a heatmap in px."""
        return self.size // STRIDE

    @property
    def sigma(self) -> float:
        """Standard deviation of a joint's Gaussian in heatmap px."""
        return self.fwhm / (2 * sqrt(2 * log(2)))

    def encode(self, joints: Any) -> Any:
        """Encode joints (B, K, 2) in crop px as heatmaps (B, H, W, K)."""
        from keras import ops

        grid = ops.arange(self.side, dtype=joints.dtype)
        centres = (joints + 0.5) / STRIDE - 0.5
        columns = ops.exp(-ops.square(grid[None, None] - centres[..., :1]) / (2 * self.sigma**2))
        rows = ops.exp(-ops.square(grid[None, None] - centres[..., 1:]) / (2 * self.sigma**2))
        return ops.einsum("bkh,bkw->bhwk", rows, columns)

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Decode heatmaps (B, H, W, K) to joints (B, K, 2) in crop px."""
        width = outputs.shape[2]
        highest = _argmax(outputs)[:, 0]
        positions = np.stack([highest % width, highest // width], axis=-1)
        if self.decoding == "dark":
            peaks = _refine(np.moveaxis(np.asarray(outputs, np.float32), -1, 1), positions, self.sigma)
            positions = np.clip(peaks, positions - 1, positions + 1)  # the parabola fits only that far
        return (positions.astype(np.float32) + np.float32(0.5)) * STRIDE - np.float32(0.5)

    def confidence(self, outputs: np.ndarray) -> np.ndarray:
        """Return the highest value of each heatmap (B, H, W, K), clipped to 0..1: (B, K)."""
        pixels = np.asarray(outputs, np.float32).reshape(len(outputs), -1, outputs.shape[-1])
        # Equal to `max`, in a fifth of the time: NumPy's reduction is slow where the joints are the last axis.
        return np.clip(np.take_along_axis(pixels, _argmax(outputs), axis=1)[:, 0], 0, 1)

    def flip(self, outputs: np.ndarray) -> np.ndarray:
        """Flip heatmaps (B, H, W, K) horizontally and swap left and right joints."""
        return np.asarray(outputs)[:, :, ::-1, FLIP_INDICES]


def _argmax(outputs: np.ndarray) -> np.ndarray:
    """Return the row-major index of the highest pixel of each heatmap: (B, H, W, K) -> (B, 1, K)."""
    pixels = np.asarray(outputs).reshape(len(outputs), -1, outputs.shape[-1])
    highest: np.ndarray = pixels.argmax(axis=1, keepdims=True)
    return highest


def _refine(heatmaps: np.ndarray, positions: np.ndarray, sigma: float) -> np.ndarray:
    """Move integer positions (x, y) to the maxima of the peaks around them by one Newton step.

    At the border a position lacks neighbours on one side; its peak is measured one pixel further inside, which is
    equivalent for a parabola. Where the heatmap is flat and has no peak, the position is unchanged.

    Args:
        heatmaps: (B, K, H, W).
        positions: (B, K, 2) heatmap px.
        sigma: standard deviation of the smoothing, heatmap px.

    Returns:
        (B, K, 2) heatmap px.
    """
    height, width = heatmaps.shape[2:]
    centre = np.clip(positions, 1, (width - 2, height - 2))
    columns = _smoothing_kernels(width, sigma)[centre[..., 0]]
    rows = _smoothing_kernels(height, sigma)[centre[..., 1]]
    # (B, K, 3, 3): the smoothed heatmap's logarithm around the centre.
    logs = np.log(np.maximum(rows @ heatmaps @ columns.swapaxes(-1, -2), LOG_EPSILON))

    dx, dy = (logs[..., 1, 2] - logs[..., 1, 0]) / 2, (logs[..., 2, 1] - logs[..., 0, 1]) / 2
    dxx = logs[..., 1, 2] - 2 * logs[..., 1, 1] + logs[..., 1, 0]
    dyy = logs[..., 2, 1] - 2 * logs[..., 1, 1] + logs[..., 0, 1]
    dxy = (logs[..., 2, 2] - logs[..., 2, 0] - logs[..., 0, 2] + logs[..., 0, 0]) / 4
    determinant = dxx * dyy - dxy**2
    is_peak = (dxx < -MIN_CURVATURE) & (determinant > MIN_CURVATURE**2)
    steps = np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], axis=-1)
    peaks = centre + steps / np.where(is_peak, determinant, 1)[..., None]
    return np.where(is_peak[..., None], peaks, positions)


@cache
def _smoothing_kernels(side: int, sigma: float) -> np.ndarray:
    """Return (side, 3, side) float32: for each pixel, Gaussian weights around the previous pixel, it and the next.

    Near a border all three kernels are truncated at the distance at which the first one reaches it, because an
    asymmetric kernel would move the peak. The weights of the outermost pixels are zero.
    """
    pixel = np.arange(side)
    distance = np.abs(pixel - (pixel[:, None] + np.array([-1, 0, 1]))[..., None])
    reach = np.minimum(pixel, side - 1 - pixel) - 1
    weights = np.where(distance <= reach[:, None, None], np.exp(-(distance**2) / (2 * sigma**2)), 0)
    return weights.astype(np.float32)


def infer_codec(outputs: np.ndarray, size: int) -> Codec:
    """Infer the codec for crops of `size` px from the shape of a model's outputs.

    The width of the learned Gaussians cannot be inferred, so heatmaps are decoded by "argmax".
    """
    return Coordinates(size) if outputs.ndim == 3 else Heatmaps(size, fwhm=0.0)
