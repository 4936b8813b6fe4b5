"""Layers whose filters belong to joints: from the cut on, a joint's filters see nothing of another joint's.

(Paper, section 3.3.) Channels are laid out joint by joint, in the skeleton's order.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from splitpose.skeleton import JOINTS


def allocate_channels(total: int, weights: dict[str, int]) -> tuple[int, ...]:
    """Cut `total` channels among the joints in proportion to `weights`, at least one each.

    Largest remainders are rounded up, so that the parts add up to `total`; with total = sum(weights) they are
    the weights themselves.
    """
    exact = np.array([weights[joint] for joint in JOINTS]) * total / sum(weights.values())
    parts = np.maximum(1, np.floor(exact).astype(int))
    while (left := total - parts.sum()) != 0:
        step = 1 if left > 0 else -1
        candidates = np.where((parts > 1) | (step > 0), (exact - parts) * step, -np.inf)
        parts[np.argmax(candidates)] += step
    return tuple(int(part) for part in parts)


def diagonal(kernels: Sequence[Any]) -> Any:
    """Some joints' kernels (in, out) on the diagonal of one, zeros between joints: (all in, all out)."""
    before = np.cumsum([0, *(kernel.shape[1] for kernel in kernels)]).tolist()
    rows = [
        ops.pad(kernel, [[0, 0], [start, before[-1] - end]])
        for kernel, start, end in zip(kernels, before, before[1:], strict=False)
    ]
    return ops.concatenate(rows, axis=0)


@keras.saving.register_keras_serializable("splitpose")
class JointwiseConvolution(keras.layers.Layer):
    """1 x 1 convolution from each joint's channels to that joint's filters.

    Each joint has its own small kernel.

    Args:
        channels: input channels of each joint.
        filters: output channels of each joint.
        use_bias: whether each output channel has a bias.
    """

    def __init__(self, channels: tuple[int, ...], filters: tuple[int, ...], use_bias: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.channels, self.filters, self.use_bias = tuple(channels), tuple(filters), use_bias

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the kernels for (B, H, W, sum(channels))."""
        if input_shape[-1] != sum(self.channels):
            raise ValueError(f"{self.name}: {input_shape[-1]} channels, joints have {sum(self.channels)}")
        self.kernels = [
            self.add_weight(shape=(have, give), initializer="glorot_uniform", name=f"kernel_{joint}")
            for joint, have, give in zip(JOINTS, self.channels, self.filters, strict=True)
        ]
        if self.use_bias:
            self.bias = self.add_weight(shape=(sum(self.filters),), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        """(B, H, W, sum(channels)) -> (B, H, W, sum(filters))."""
        pixels = ops.reshape(x, (-1, sum(self.channels)))
        # To cut the map costs more than the zeros of one product, if there is hardly anything to compute.
        y = self._apart(pixels) if max(self.filters) > 1 else ops.matmul(pixels, diagonal(self.kernels))
        y = ops.reshape(y, (-1, *x.shape[1:3], sum(self.filters)))
        return y + self.bias if self.use_bias else y

    def _apart(self, pixels: Any) -> Any:
        parts = ops.split(pixels, np.cumsum(self.channels)[:-1].tolist(), axis=-1)
        products = [ops.matmul(part, kernel) for part, kernel in zip(parts, self.kernels, strict=True)]
        return ops.concatenate(products, axis=-1)

    def plain(self) -> keras.layers.Layer:
        """An ordinary convolution without weights that computes the same with `plain_weights`."""
        return keras.layers.Conv2D(sum(self.filters), 1, use_bias=self.use_bias, name=self.name)

    def export_weights(self) -> list[np.ndarray]:
        """The weights of `plain`."""
        kernel = ops.convert_to_numpy(diagonal(self.kernels))[None, None]
        return [kernel, ops.convert_to_numpy(self.bias)] if self.use_bias else [kernel]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Only the channels change."""
        return (*input_shape[:-1], sum(self.filters))

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        own = {"channels": self.channels, "filters": self.filters, "use_bias": self.use_bias}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("splitpose")
class JointwiseRegression(keras.layers.Layer):
    """Each joint's x and y from that joint's channels alone, over all places of the map.

    Args:
        channels: input channels of each joint.
    """

    def __init__(self, channels: tuple[int, ...], **kwargs: Any):
        super().__init__(**kwargs)
        self.channels = tuple(channels)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the kernels for (B, H, W, sum(channels))."""
        places, total = (input_shape[1] or 0) * (input_shape[2] or 0), input_shape[-1]
        if total != sum(self.channels):
            raise ValueError(f"{self.name}: {total} channels, joints have {sum(self.channels)}")
        self.kernels = [
            self.add_weight(shape=(places * channels, 2), initializer="glorot_uniform", name=f"kernel_{joint}")
            for joint, channels in zip(JOINTS, self.channels, strict=True)
        ]
        self.bias = self.add_weight(shape=(2 * len(JOINTS),), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        """(B, H, W, sum(channels)) -> (B, K, 2)."""
        ends = np.cumsum(self.channels).tolist()
        # Slices, since XNNPACK leaves an uneven split to the slow path.
        parts = [x[..., end - channels : end] for end, channels in zip(ends, self.channels, strict=True)]
        points = [
            ops.matmul(ops.reshape(part, (-1, kernel.shape[0])), kernel)
            for part, kernel in zip(parts, self.kernels, strict=True)
        ]
        # In threes: XNNPACK leaves a concatenation of more than five to the slow path.
        threes = [ops.concatenate(points[k : k + 3], axis=-1) for k in range(0, len(points), 3)]
        return ops.reshape(ops.concatenate(threes, axis=-1) + self.bias, (-1, len(JOINTS), 2))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """A point a joint."""
        return (input_shape[0], len(JOINTS), 2)

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "channels": self.channels}


def with_export_layers(model: keras.Model) -> keras.Model:
    """The same function with Keras' own convolutions in place of the layers that have a `plain` one.

    A converter folds BatchNorm into, and quantises, only a convolution whose kernel is a constant.
    """

    def plain(layer: keras.layers.Layer) -> keras.layers.Layer:
        return layer.plain() if hasattr(layer, "plain") else layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=plain)
    for layer in model.layers:
        weights = layer.export_weights() if hasattr(layer, "plain") else layer.get_weights()
        copy.get_layer(layer.name).set_weights(weights)
    return copy
