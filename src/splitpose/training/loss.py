"""The training loss: mean squared error between a codec's targets and the model's outputs (section 4)."""

from collections.abc import Callable
from typing import Any

from keras import ops

from splitpose.codecs import Codec


def squared_error(codec: Codec) -> Callable[[Any, Any], Any]:
    """A loss (joints (B, K, 2) crop px, outputs) -> (B,), the mean over the joints that are annotated.

    Works for coordinates (B, K, 2) and heatmaps (B, H, W, K) alike; a joint that is not annotated (NaN) counts
    in neither sum nor number.
    """

    def loss(joints: Any, outputs: Any) -> Any:
        known = ops.all(ops.isfinite(joints), axis=-1)
        targets = codec.encode(ops.where(known[..., None], joints, 0.0))
        squares = ops.square(outputs - targets)
        by_joint = ops.mean(squares, axis=(1, 2)) if len(squares.shape) == 4 else ops.mean(squares, axis=-1)
        counts = ops.cast(known, by_joint.dtype)
        return ops.sum(by_joint * counts, axis=-1) / ops.maximum(ops.sum(counts, axis=-1), 1.0)

    return loss
