"""The training loss between a codec's targets and the model's outputs.

The paper has the mean squared error (section 4). Squares let the few joints that are far off, or badly annotated,
outweigh the many that are nearly right; for regressed coordinates there are two penalties that do not.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from splitpose.codecs import Codec, Coordinates
from splitpose.settings import CoordinateLoss

FAR = 0.04
"""Error in sides of the crop from which on huber and wing are straight lines: 9 px of 224."""

NEAR = 0.008
"""Where wing's logarithm begins to bend, in sides of the crop: a fifth of FAR, as in its paper."""


def squared(error: Any) -> Any:
    """error^2."""
    return ops.square(error)


def huber(error: Any) -> Any:
    """error^2 up to FAR, and from there on the line that goes on from it (Huber, 1964)."""
    size = ops.abs(error)
    near = ops.minimum(size, FAR)
    return near * (2 * size - near)


def wing(error: Any) -> Any:
    """A logarithm up to FAR, steepest at small errors, then a line of slope 1 (Feng et al., CVPR 2018)."""
    size = ops.abs(error)
    near = ops.minimum(size, FAR)
    return FAR * ops.log1p(near / NEAR) + (size - near)


PENALTIES: dict[CoordinateLoss, Callable[[Any], Any]] = {"squared": squared, "huber": huber, "wing": wing}


def joint_loss(codec: Codec, coordinate_loss: CoordinateLoss = "squared") -> Callable[[Any, Any], Any]:
    """A loss (joints (B, K, 2) crop px, outputs) -> (B,): a person's mean over the joints that are annotated.

    A joint that is not annotated (NaN) gives neither loss nor gradient, whatever the outputs say of it. Each person
    counts alike, whoever else is in the batch and however many joints are annotated: the mean is over the person's
    annotated joints, so that the loss of partly annotated people is not smaller than that of others who are just as
    wrong. Who has no joint at all gives 0.

    Args:
        codec: of the model: its targets are coordinates (B, K, 2) or heatmaps (B, H, W, K).
        coordinate_loss: penalty of an error of a coordinate; heatmaps always have squares.
    """
    penalty = PENALTIES[coordinate_loss] if isinstance(codec, Coordinates) else squared

    def loss(joints: Any, outputs: Any) -> Any:
        known = ops.all(ops.isfinite(joints), axis=-1)
        targets = codec.encode(ops.where(known[..., None], joints, 0.0))
        heatmaps = len(outputs.shape) == 4
        mask, within_joint = (known[:, None, None], (1, 2)) if heatmaps else (known[..., None], -1)
        by_joint = ops.mean(penalty(ops.where(mask, outputs - targets, 0.0)), axis=within_joint)
        counts = ops.sum(ops.cast(known, by_joint.dtype), axis=-1)
        return ops.sum(by_joint, axis=-1) / ops.maximum(counts, 1.0)

    return loss
