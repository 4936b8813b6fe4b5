"""1 x 1 convolution that trains as a matrix product."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("splitpose")
class Pointwise(keras.layers.Conv2D):
    """Keras' own 1 x 1 convolution without bias, its weights and its function, for maps (B, H, W, C).

    Where it trains, the pixels of all maps are the rows of one matrix: on CPUs a convolution's gradient for its
    kernel takes up to twice the time of the same product. Where it does not, it stays Keras' convolution, which
    TensorFlow joins with the BatchNorm and ReLU after it.
    """

    def __init__(self, filters: int, **kwargs: Any):
        super().__init__(filters, **({"kernel_size": 1, "use_bias": False} | kwargs))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """(B, H, W, C) -> (B, H, W, filters)."""
        if not (training and self.trainable):
            return super().call(inputs)
        pixels = ops.reshape(inputs, (-1, inputs.shape[-1]))
        return ops.reshape(ops.matmul(pixels, self.kernel[0, 0]), (-1, *inputs.shape[1:3], self.filters))

    def plain(self) -> keras.layers.Layer:
        """Keras' layer, without weights, that computes the same with `plain_weights`."""
        return keras.layers.Conv2D.from_config(self.get_config())

    def export_weights(self) -> list[Any]:
        """The weights of `plain`."""
        return self.get_weights()
