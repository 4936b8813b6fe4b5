"""MobileNet v1's blocks, the trunk of all variants.

Layers are named as in keras.applications, so that ImageNet's weights find their places.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import keras
from keras import layers

from splitpose.models.batch_norm import BatchNorm
from splitpose.models.pointwise import Pointwise

BLOCKS: dict[int, tuple[int, int]] = {
    1: (64, 1),
    2: (128, 2),
    3: (128, 1),
    4: (256, 2),
    5: (256, 1),
    6: (512, 2),
    7: (512, 1),
    8: (512, 1),
    9: (512, 1),
    10: (512, 1),
    11: (512, 1),
    12: (1024, 2),
    13: (1024, 1),
}
"""Block: (filters at width 1, stride); MobileNets, Howard et al. 2017, Table 1."""

_EPSILON = 1e-3  # of keras.applications' MobileNet; its weights are made for it


def scaled(filters: int, width: float) -> int:
    """Filters at a width multiplier, rounded as keras.applications does."""
    return max(1, int(filters * width))


def norm_relu(x: keras.KerasTensor, name: str, momentum: float) -> keras.KerasTensor:
    """BatchNorm and ReLU6, as after every convolution of MobileNet."""
    x = BatchNorm(momentum=momentum, epsilon=_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def depthwise(x: keras.KerasTensor, name: str, momentum: float, stride: int = 1) -> keras.KerasTensor:
    """First half of a depthwise-separable block: 3 x 3 a channel."""
    x = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=name)(x)
    return norm_relu(x, name, momentum)


def pointwise(x: keras.KerasTensor, filters: int, name: str, momentum: float) -> keras.KerasTensor:
    """Second half of a depthwise-separable block: 1 x 1 over all channels."""
    x = Pointwise(filters, use_bias=False, name=name)(x)
    return norm_relu(x, name, momentum)


def block(x: keras.KerasTensor, filters: int, name: str, momentum: float) -> keras.KerasTensor:
    """A new depthwise-separable block of stride 1."""
    return pointwise(depthwise(x, f"{name}_dw", momentum), filters, f"{name}_pw", momentum)


def stem(inputs: keras.KerasTensor, width: float, momentum: float) -> keras.KerasTensor:
    """Pixels 0..255 scaled to -1..1, as MobileNet's weights expect, and the first convolution."""
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale_pixels")(inputs)
    x = layers.Conv2D(scaled(32, width), 3, 2, padding="same", use_bias=False, name="conv1")(x)
    return norm_relu(x, "conv1", momentum)


def blocks(x: keras.KerasTensor, first: int, last: int, width: float, momentum: float) -> keras.KerasTensor:
    """The trunk's blocks `first` to `last`, both included."""
    for number in range(first, last + 1):
        filters, stride = BLOCKS[number]
        x = depthwise(x, f"conv_dw_{number}", momentum, stride)
        x = pointwise(x, scaled(filters, width), f"conv_pw_{number}", momentum)
    return x


def backbone_layers(model: keras.Model) -> Iterator[tuple[keras.layers.Layer, int]]:
    """The layers of the model that belong to the trunk, each with its block's number (the stem's is 0).

    Their names tell them, as in keras.applications: they have the word conv or conv1 in them, and the block's
    number is the first number, if any (conv1_bn, conv_dw_3; expanded_conv_3_project of MobileNet v3).
    """
    for layer in model.layers:
        words = layer.name.split("_")
        if "conv" in words or "conv1" in words:
            yield layer, next((int(word) for word in words if word.isdigit()), 0)


def recalibrate_batch_norm(model: keras.Model, crops: Iterable[Any]) -> None:
    """Let every BatchNorm take its statistics from some batches of crops.

    A random trunk that stands still would else normalise nothing, and its signal fade from block to block. Each
    batch counts for half, so that after twenty nothing is left of the statistics that a new layer begins with.
    """
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.5
    for batch in crops:
        model(batch, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def freeze(model: keras.Model, unfrozen: tuple[int, ...]) -> None:
    """Freeze the trunk but for the blocks in `unfrozen`; a frozen BatchNorm keeps its statistics too."""
    for layer, number in backbone_layers(model):
        layer.trainable = number in unfrozen


def frozen_layers(model: keras.Model) -> list[tuple[str, bool]]:
    """Every layer that has weights, in the model's order, and whether it stands still."""
    return [(layer.name, not layer.trainable) for layer in model.layers if layer.weights]


def unfreeze(model: keras.Model) -> None:
    """Let every layer train."""
    for layer in model.layers:
        layer.trainable = True
