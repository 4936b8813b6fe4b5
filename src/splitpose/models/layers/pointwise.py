"""A 1 x 1 convolution that is trained as a matrix product."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("splitpose")
class Pointwise(keras.layers.Conv2D):
    """Keras' 1 x 1 Conv2D without bias for feature maps (B, H, W, C): same weights and same result.

    In training, the pixels of all feature maps are the rows of one matrix: on CPUs the gradient of a convolution's
    kernel takes up to twice the time of the same matrix product. In inference and when frozen it stays a
    convolution, which TensorFlow fuses with the BatchNorm and ReLU that follow.
    """

    def __init__(self, filters: int, **kwargs: Any):
        super().__init__(filters, **({"kernel_size": 1, "use_bias": False} | kwargs))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Map (B, H, W, C) to (B, H, W, filters)."""
        if not (training and self.trainable):
            return super().call(inputs)
        pixels = ops.reshape(inputs, (-1, inputs.shape[-1]))
        return ops.reshape(ops.matmul(pixels, self.kernel[0, 0]), (-1, *inputs.shape[1:3], self.filters))

    def export_layer(self) -> keras.layers.Layer:
        """Return an equivalent Conv2D, without weights, for conversion."""
        return keras.layers.Conv2D.from_config(self.get_config())

    def export_layer_weights(self) -> list[Any]:
        """Return the weights of `export_layer`."""
        weights: list[Any] = self.get_weights()
        return weights
