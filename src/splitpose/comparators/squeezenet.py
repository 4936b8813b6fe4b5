"""SqueezeNet 1.1, a classifier of 1000 classes.

Iandola et al. 2016, arXiv:1602.07360: fire modules as in its section 3.2; 1.1 is the authors' own later version,
with a smaller first convolution and earlier pooling. Published are 1,235,496 parameters, and that many are here.
"""

import keras
from keras import layers

FIRES = (
    ((16, 64), (16, 64)),
    ((32, 128), (32, 128)),
    ((48, 192), (48, 192), (64, 256), (64, 256)),
)
"""(squeezing, expanding) filters of the fire modules 2 to 9, in groups with a pooling before each."""


def build(size: int, classes: int = 1000) -> keras.Model:
    """Pictures (B, S, S, 3) -> probabilities (B, classes). Sizes of maps at S = 224: 111, 55, 27, 13."""
    inputs = keras.Input((size, size, 3), name="picture")
    x = _convolution(inputs, 64, 3, strides=2, padding="valid")
    for group in FIRES:
        x = layers.MaxPooling2D(3, 2)(x)
        for squeeze, expand in group:
            x = _fire(x, squeeze, expand)
    x = layers.Dropout(0.5)(x)
    x = layers.GlobalAveragePooling2D()(_convolution(x, classes, 1))
    return keras.Model(inputs, layers.Softmax()(x), name="squeezenet_1_1")


def _fire(x: keras.KerasTensor, squeeze: int, expand: int) -> keras.KerasTensor:
    x = _convolution(x, squeeze, 1)
    return layers.Concatenate()([_convolution(x, expand, 1), _convolution(x, expand, 3)])


def _convolution(
    x: keras.KerasTensor, filters: int, side: int, strides: int = 1, padding: str = "same"
) -> keras.KerasTensor:
    return layers.Conv2D(filters, side, strides, padding, activation="relu", kernel_initializer="he_normal")(x)
