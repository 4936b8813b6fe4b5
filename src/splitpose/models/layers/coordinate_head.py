"""The head of variants that regress coordinates."""

import keras
from keras import layers

from splitpose.skeleton import JOINTS

COORDINATE_SCALE = 0.1
"""Factor of the linear layer's outputs. Adam moves all weights by the same amount, and a flattened feature map has
thousands of them: at factor 1 a single step moves all joints further than instances differ, and little more than
the mean pose is learned. The set of functions that the model can represent stays the same."""


def regression_head(features: keras.KerasTensor) -> keras.KerasTensor:
    """Map features (B, C) to coordinates (B, K, 2) by a dense layer."""
    x = layers.Dense(2 * len(JOINTS), name="points")(features)
    return scale_coordinates(layers.Reshape((len(JOINTS), 2), name="joints")(x))


def scale_coordinates(x: keras.KerasTensor) -> keras.KerasTensor:
    """Scale the outputs (B, K, 2) of a linear layer to coordinates."""
    return layers.Rescaling(COORDINATE_SCALE, name="scale_points")(x)
