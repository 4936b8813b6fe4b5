"""OpenPose's body network for COCO: the first ten layers of VGG-19, then six stages with two branches.

Architecture: Cao et al., CVPR 2017, section 2.2 and Figure 3. The two convolutions that reduce VGG's 512 channels
to 128 are those of the authors' model. The network has 52,311,446 parameters, as published implementations do.
"""

import keras
from keras import layers

FIELDS = 38
"""Channels of the part affinity fields: x and y for each of 19 limbs."""

HEATMAPS = 19
"""Channels of the heatmaps: 18 joints and the background."""

STAGES = 6
VGG = ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512))
"""Filters of VGG-19's first ten layers, in groups that are separated by pooling."""


def build(size: int) -> keras.Model:
    """Build the network.

    Args:
        size: side S of the input, px.

    Returns:
        Model from images (B, S, S, 3) to the last stage's [fields (B, S/8, S/8, 38), heatmaps (B, S/8, S/8, 19)].
    """
    inputs = keras.Input((size, size, 3), name="image")
    x = inputs
    for number, group in enumerate(VGG):
        x = layers.MaxPooling2D(2)(x) if number else x
        for filters in group:
            x = _convolution(x, filters, 3)
    features = _convolution(_convolution(x, 256, 3), 128, 3)

    outputs = [_first_stage(features, channels) for channels in (FIELDS, HEATMAPS)]
    for _ in range(STAGES - 1):
        x = layers.Concatenate()([*outputs, features])
        outputs = [_later_stage(x, channels) for channels in (FIELDS, HEATMAPS)]
    return keras.Model(inputs, outputs, name="openpose_body")


def _first_stage(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    for _ in range(3):
        x = _convolution(x, 128, 3)
    return layers.Conv2D(channels, 1)(_convolution(x, 512, 1))


def _later_stage(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    for _ in range(5):
        x = _convolution(x, 128, 7)
    return layers.Conv2D(channels, 1)(_convolution(x, 128, 1))


def _convolution(x: keras.KerasTensor, filters: int, kernel_size: int) -> keras.KerasTensor:
    return layers.Conv2D(filters, kernel_size, padding="same", activation="relu", kernel_initializer="he_normal")(x)
