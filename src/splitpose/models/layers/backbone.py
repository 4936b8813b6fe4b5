"""The backbone of the paper's variants, MobileNet v1, built block by block; freezing of backbones.

Layers are named as in keras.applications, so that pretrained weights can be loaded by layer name.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import keras
from keras import layers

from splitpose.models.layers.batch_norm import BatchNorm
from splitpose.models.layers.pointwise import Pointwise

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
"""Filters at width multiplier 1 and stride of each block (MobileNets, Howard et al. 2017, Table 1)."""

_EPSILON = 1e-3  # the value with which the weights of keras.applications' MobileNet were trained


def scale_filters(filters: int, width: float) -> int:
    """Return the number of filters at a width multiplier, rounded as in keras.applications."""
    return max(1, int(filters * width))


def batch_norm_relu(x: keras.KerasTensor, name: str, momentum: float) -> keras.KerasTensor:
    """Apply batch normalisation and ReLU6, which follow every convolution of MobileNet."""
    x = BatchNorm(momentum=momentum, epsilon=_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def depthwise_conv(x: keras.KerasTensor, name: str, momentum: float, stride: int = 1) -> keras.KerasTensor:
    """Apply the first half of a depthwise separable block: a 3 x 3 convolution of each channel."""
    x = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=name)(x)
    return batch_norm_relu(x, name, momentum)


def pointwise_conv(x: keras.KerasTensor, filters: int, name: str, momentum: float) -> keras.KerasTensor:
    """Apply the second half of a depthwise separable block: a 1 x 1 convolution over all channels."""
    x = Pointwise(filters, use_bias=False, name=name)(x)
    return batch_norm_relu(x, name, momentum)


def separable_block(x: keras.KerasTensor, filters: int, name: str, momentum: float) -> keras.KerasTensor:
    """Apply a depthwise separable block of stride 1 that is not part of the backbone."""
    return pointwise_conv(depthwise_conv(x, f"{name}_dw", momentum), filters, f"{name}_pw", momentum)


def stem(inputs: keras.KerasTensor, width: float, momentum: float) -> keras.KerasTensor:
    """Scale pixels from 0..255 to -1..1, as MobileNet's weights expect, and apply the first convolution."""
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale_pixels")(inputs)
    x = layers.Conv2D(scale_filters(32, width), 3, 2, padding="same", use_bias=False, name="conv1")(x)
    return batch_norm_relu(x, "conv1", momentum)


def backbone_blocks(
    x: keras.KerasTensor, first: int, last: int, width: float, momentum: float
) -> keras.KerasTensor:
    """Apply the backbone blocks `first` to `last`, both included."""
    for number in range(first, last + 1):
        filters, stride = BLOCKS[number]
        x = depthwise_conv(x, f"conv_dw_{number}", momentum, stride)
        x = pointwise_conv(x, scale_filters(filters, width), f"conv_pw_{number}", momentum)
    return x


def backbone_layers(model: keras.Model) -> Iterator[tuple[keras.layers.Layer, int]]:
    """Yield the model's backbone layers, each with the number of its block (0 for the stem).

    They are recognised by their keras.applications names: one of the words is conv or conv1, and the first number,
    if any, is the block's (conv1_bn, conv_dw_3; expanded_conv_3_project in MobileNet v3).
    """
    for layer in model.layers:
        words = layer.name.split("_")
        if "conv" in words or "conv1" in words:
            yield layer, next((int(word) for word in words if word.isdigit()), 0)


def recalibrate_batch_norm(model: keras.Model, crops: Iterable[Any]) -> None:
    """Recompute the moving statistics of every BatchNorm layer from batches of crops.

    With the statistics of a new layer, a frozen random backbone would normalise nothing, and its signal would fade
    from block to block. Each batch has weight one half, so that twenty batches replace the initial statistics.
    """
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.5
    for batch in crops:
        model(batch, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def freeze_backbone(model: keras.Model, trainable_blocks: tuple[int, ...]) -> None:
    """Freeze the backbone except `trainable_blocks`; frozen BatchNorm layers also keep their statistics."""
    for layer, number in backbone_layers(model):
        layer.trainable = number in trainable_blocks


def freeze_layers(model: keras.Model, names: Collection[str], trainable_blocks: tuple[int, ...]) -> None:
    """Freeze the layers with these names, except `trainable_blocks` of the backbone; all others are trainable."""
    blocks = {layer.name: number for layer, number in backbone_layers(model)}
    for layer in model.layers:
        layer.trainable = layer.name not in names or blocks.get(layer.name) in trainable_blocks


def unfreeze(model: keras.Model) -> None:
    """Make every layer trainable."""
    for layer in model.layers:
        layer.trainable = True


def group_by_trainable(model: keras.Model) -> tuple[list[str], list[str]]:
    """Return the names of the frozen layers and of the trainable layers, among those that have weights."""
    with_weights = [layer for layer in model.layers if layer.weights]
    return (
        [layer.name for layer in with_weights if not layer.trainable],
        [layer.name for layer in with_weights if layer.trainable],
    )
