"""Layers with separate filters for each joint: after the joint split, a joint's filters see only its own channels.

See section 3.3 of the paper. Channels are ordered joint by joint, in the skeleton's order.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from splitpose.skeleton import JOINTS


def allocate_channels(total: int, weights: dict[str, int]) -> tuple[int, ...]:
    """Divide `total` channels between the joints in proportion to `weights`, at least one each.

    Uses the largest remainder method, so that the numbers add up to `total`; with total = sum(weights) they are the
    weights themselves.
    """
    quotas = np.array([weights[joint] for joint in JOINTS]) * total / sum(weights.values())
    channels = np.maximum(1, np.floor(quotas).astype(int))
    while (remaining := total - channels.sum()) != 0:
        step = 1 if remaining > 0 else -1
        priorities = np.where((channels > 1) | (step > 0), (quotas - channels) * step, -np.inf)
        channels[np.argmax(priorities)] += step
    return tuple(int(count) for count in channels)


def block_diagonal(kernels: Sequence[Any]) -> Any:
    """Return the joints' kernels (in, out) as one block diagonal kernel (sum of in, sum of out)."""
    offsets = np.cumsum([0, *(kernel.shape[1] for kernel in kernels)]).tolist()
    rows = [
        ops.pad(kernel, [[0, 0], [start, offsets[-1] - end]])
        for kernel, start, end in zip(kernels, offsets, offsets[1:], strict=False)
    ]
    return ops.concatenate(rows, axis=0)


@keras.saving.register_keras_serializable("splitpose")
class JointwiseConvolution(keras.layers.Layer):
    """1 x 1 convolution from each joint's channels to that joint's filters, with a small kernel for each joint.

    Args:
        channels: number of input channels of each joint.
        filters: number of output channels of each joint.
        use_bias: whether each output channel has a bias.
    """

    def __init__(self, channels: tuple[int, ...], filters: tuple[int, ...], use_bias: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.channels, self.filters, self.use_bias = tuple(channels), tuple(filters), use_bias

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the kernels for inputs (B, H, W, sum(channels))."""
        if input_shape[-1] != sum(self.channels):
            raise ValueError(
                f"{self.name}: the input has {input_shape[-1]} channels, the joints have {sum(self.channels)}"
            )
        self.kernels = [
            self.add_weight(shape=(channels, filters), initializer="glorot_uniform", name=f"kernel_{joint}")
            for joint, channels, filters in zip(JOINTS, self.channels, self.filters, strict=True)
        ]
        if self.use_bias:
            self.bias = self.add_weight(shape=(sum(self.filters),), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        """Map (B, H, W, sum(channels)) to (B, H, W, sum(filters))."""
        pixels = ops.reshape(x, (-1, sum(self.channels)))
        # With one filter per joint, splitting the feature map costs more than multiplying by the zeros of one
        # large kernel.
        if max(self.filters) > 1:
            y = self._multiply_by_joint(pixels)
        else:
            y = ops.matmul(pixels, block_diagonal(self.kernels))
        y = ops.reshape(y, (-1, *x.shape[1:3], sum(self.filters)))
        return y + self.bias if self.use_bias else y

    def _multiply_by_joint(self, pixels: Any) -> Any:
        inputs = ops.split(pixels, np.cumsum(self.channels)[:-1].tolist(), axis=-1)
        products = [ops.matmul(x, kernel) for x, kernel in zip(inputs, self.kernels, strict=True)]
        return ops.concatenate(products, axis=-1)

    def export_layer(self) -> keras.layers.Layer:
        """Return an equivalent Conv2D, without weights, for conversion."""
        return keras.layers.Conv2D(sum(self.filters), 1, use_bias=self.use_bias, name=self.name)

    def export_layer_weights(self) -> list[np.ndarray]:
        """Return the weights of `export_layer`."""
        kernel = ops.convert_to_numpy(block_diagonal(self.kernels))[None, None]
        return [kernel, ops.convert_to_numpy(self.bias)] if self.use_bias else [kernel]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the output's shape, which differs in the channels only."""
        return (*input_shape[:-1], sum(self.filters))

    def get_config(self) -> dict[str, Any]:
        """Return the layer's configuration for serialisation."""
        config = {"channels": self.channels, "filters": self.filters, "use_bias": self.use_bias}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable("splitpose")
class JointwiseRegression(keras.layers.Layer):
    """Dense layer from each joint's channels, at all positions of the feature map, to that joint's x and y.

    Args:
        channels: number of input channels of each joint.
    """

    def __init__(self, channels: tuple[int, ...], **kwargs: Any):
        super().__init__(**kwargs)
        self.channels = tuple(channels)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the kernels for inputs (B, H, W, sum(channels))."""
        positions, total = (input_shape[1] or 0) * (input_shape[2] or 0), input_shape[-1]
        if total != sum(self.channels):
            raise ValueError(f"{self.name}: the input has {total} channels, the joints have {sum(self.channels)}")
        self.kernels = [
            self.add_weight(shape=(positions * channels, 2), initializer="glorot_uniform", name=f"kernel_{joint}")
            for joint, channels in zip(JOINTS, self.channels, strict=True)
        ]
        self.bias = self.add_weight(shape=(2 * len(JOINTS),), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        """Map (B, H, W, sum(channels)) to coordinates (B, K, 2)."""
        ends = np.cumsum(self.channels).tolist()
        # Slices, because XNNPACK does not support a split into unequal parts.
        inputs = [x[..., end - channels : end] for end, channels in zip(ends, self.channels, strict=True)]
        points = [
            ops.matmul(ops.reshape(joint_input, (-1, kernel.shape[0])), kernel)
            for joint_input, kernel in zip(inputs, self.kernels, strict=True)
        ]
        # Concatenated in groups of three, because XNNPACK supports at most five inputs.
        groups = [ops.concatenate(points[k : k + 3], axis=-1) for k in range(0, len(points), 3)]
        return ops.reshape(ops.concatenate(groups, axis=-1) + self.bias, (-1, len(JOINTS), 2))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the output's shape (B, K, 2)."""
        return (input_shape[0], len(JOINTS), 2)

    def get_config(self) -> dict[str, Any]:
        """Return the layer's configuration for serialisation."""
        return {**super().get_config(), "channels": self.channels}


def with_export_layers(model: keras.Model) -> keras.Model:
    """Return an equivalent model in which Keras' own convolutions replace the layers that have an `export_layer`.

    A converter folds BatchNorm into a convolution, and quantises it, only if its kernel is a constant.
    """

    def clone_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
        if hasattr(layer, "export_layer"):
            return layer.export_layer()
        return layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=clone_layer)
    for layer in model.layers:
        weights = layer.export_layer_weights() if hasattr(layer, "export_layer") else layer.get_weights()
        copy.get_layer(layer.name).set_weights(weights)
    return copy
