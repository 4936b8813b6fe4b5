"""The training loss between a codec's targets and the model's outputs.

The paper uses the mean squared error (section 4). With squares, the few joints that are far off, or badly
annotated, outweigh the many that are nearly correct; Huber and wing loss avoid that for regressed coordinates.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from splitpose.codecs import Codec, Coordinates
from splitpose.settings import CoordinateLoss

LINEAR_FROM = 0.04
"""Error, in sides of the crop, from which Huber and wing loss are linear: 9 px of 224."""

WING_EPSILON = 0.008
"""Curvature of the wing loss's logarithmic part, in sides of the crop: a fifth of LINEAR_FROM, as in its paper."""


def squared(error: Any) -> Any:
    """Return error^2."""
    return ops.square(error)


def huber(error: Any) -> Any:
    """Return error^2 up to LINEAR_FROM, and from there its tangent (Huber, 1964)."""
    size = ops.abs(error)
    near = ops.minimum(size, LINEAR_FROM)
    return near * (2 * size - near)


def wing(error: Any) -> Any:
    """Return a logarithm up to LINEAR_FROM, steepest at 0, then a line of slope 1 (Feng et al., CVPR 2018)."""
    size = ops.abs(error)
    near = ops.minimum(size, LINEAR_FROM)
    return LINEAR_FROM * ops.log1p(near / WING_EPSILON) + (size - near)


PENALTIES: dict[CoordinateLoss, Callable[[Any], Any]] = {"squared": squared, "huber": huber, "wing": wing}


def joint_loss(codec: Codec, coordinate_loss: CoordinateLoss = "squared") -> Callable[[Any, Any], Any]:
    """Return a loss function of joints (B, K, 2) in crop px and outputs, whose values (B,) are means over joints.

    A joint that is not annotated (NaN) contributes neither loss nor gradient. Each instance has the same weight,
    regardless of the rest of the batch and of the number of its annotated joints: the mean is over its annotated
    joints. An instance without annotated joints has loss 0.

    Args:
        codec: the model's codec; its targets are coordinates (B, K, 2) or heatmaps (B, H, W, K).
        coordinate_loss: penalty of a coordinate's error; heatmaps always use squares.
    """
    penalty = PENALTIES[coordinate_loss] if isinstance(codec, Coordinates) else squared

    def loss(joints: Any, outputs: Any) -> Any:
        annotated = ops.all(ops.isfinite(joints), axis=-1)
        targets = codec.encode(ops.where(annotated[..., None], joints, 0.0))
        heatmaps = len(outputs.shape) == 4
        mask, within_joint = (annotated[:, None, None], (1, 2)) if heatmaps else (annotated[..., None], -1)
        by_joint = ops.mean(penalty(ops.where(mask, outputs - targets, 0.0)), axis=within_joint)
        counts = ops.sum(ops.cast(annotated, by_joint.dtype), axis=-1)
        return ops.sum(by_joint, axis=-1) / ops.maximum(counts, 1.0)

    return loss
