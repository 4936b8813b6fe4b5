"""SqueezeNet 1.1, a classifier with 1000 classes.

Architecture: Iandola et al. 2016, arXiv:1602.07360, with the fire modules of section 3.2. Version 1.1 is later,
by its authors, with a smaller first convolution and earlier pooling. It has 1,235,496 parameters, as published.
"""

import keras
from keras import layers

FIRES = (
    ((16, 64), (16, 64)),
    ((32, 128), (32, 128)),
    ((48, 192), (48, 192), (64, 256), (64, 256)),
)
"""(squeeze, expand) filters of the fire modules 2 to 9, in groups that are preceded by pooling."""


def build(size: int, classes: int = 1000) -> keras.Model:
    """Build the network; at S = 224 the sides of its feature maps are 111, 55, 27 and 13 px.

    Args:
        size: side S of the input, px.
        classes: number of classes.

    Returns:
        Model from images (B, S, S, 3) to probabilities (B, classes).
    """
    inputs = keras.Input((size, size, 3), name="image")
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
    x: keras.KerasTensor, filters: int, kernel_size: int, strides: int = 1, padding: str = "same"
) -> keras.KerasTensor:
    return layers.Conv2D(filters, kernel_size, strides, padding, activation="relu", kernel_initializer="he_normal")(
        x
    )
