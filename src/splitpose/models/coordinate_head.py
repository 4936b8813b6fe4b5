"""The end of variants that regress coordinates: a linear layer's outputs as points."""

import keras
from keras import layers

from splitpose.skeleton import JOINTS

SCALE = 0.1
"""Of the linear layer's outputs. Adam moves every weight by as much, and a flattened map has thousands of them: at
scale 1 a single step moves all points further than people differ, and little but their mean is learned. What the
model can compute stays the same."""


def regression(features: keras.KerasTensor) -> keras.KerasTensor:
    """(B, C) -> (B, K, 2) by a linear layer of 22."""
    x = layers.Dense(2 * len(JOINTS), name="points")(features)
    return scaled_points(layers.Reshape((len(JOINTS), 2), name="joints")(x))


def scaled_points(x: keras.KerasTensor) -> keras.KerasTensor:
    """(B, K, 2) outputs of a linear layer -> coordinates."""
    return layers.Rescaling(SCALE, name="scale_points")(x)
