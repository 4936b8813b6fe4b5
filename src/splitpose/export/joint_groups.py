"""The part of a model behind the cut between its joints, as a phone runs it fastest: some joints at a time.

One kernel for all joints has zeros between them that cost as much as other numbers, most of its work; eleven small
kernels cost more in the moving of slices than they save. A few groups of neighbouring joints, each with its own
slice of the channels all the way to its heatmaps, cost least. The function stays the same.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

from splitpose.models.layers.jointwise import JointwiseConvolution

GROUPS = (2, 2, 2, 2, 3)
"""Joints of each group, in the skeleton's order. XNNPACK puts at most five maps together."""

CUT, SPLIT, HEATMAPS = "up_56", "split_pw", "heatmaps"
"""Layers: the first behind the cut, the 1 x 1 convolution of each joint's own channels, the last."""


def in_groups(model: keras.Model, plain: keras.Model) -> keras.Model:
    """The same function with the layers from CUT on once a group.

    Args:
        model: a variant. One that has no cut there, or whose filters behind it see all channels, stays as it is.
        plain: the same with Keras' own layers, as `with_plain_layers` gives it.
    """
    names = [layer.name for layer in model.layers]
    if CUT not in names or SPLIT not in names or not isinstance(model.get_layer(SPLIT), JointwiseConvolution):
        return plain
    ends = np.cumsum([0, *model.get_layer(SPLIT).channels])
    chain = plain.layers[plain.layers.index(plain.get_layer(CUT)) :]
    heatmaps, first = [], 0
    for number, count in enumerate(GROUPS):
        joints = slice(first, first + count)
        channels = slice(int(ends[joints.start]), int(ends[joints.stop]))
        x = chain[0].input[..., channels]
        for layer in chain:
            weights = _of_group(layer, channels, joints)
            part = layer.__class__.from_config(_config(layer, weights) | {"name": f"{layer.name}_{number}"})
            x = part(x)
            part.set_weights(weights)
        heatmaps.append(x)
        first += count
    return keras.Model(plain.input, layers.Concatenate(name=HEATMAPS)(heatmaps), name=plain.name)


def _of_group(layer: keras.layers.Layer, channels: slice, joints: slice) -> list[np.ndarray]:
    """The layer's weights that are of a group."""
    out = joints if layer.name == HEATMAPS else channels
    if isinstance(layer, layers.Conv2D):
        kernel, *bias = layer.get_weights()
        return [kernel[:, :, channels, out], *(values[out] for values in bias)]
    if isinstance(layer, layers.DepthwiseConv2D):
        return [kernel[:, :, channels] for kernel in layer.get_weights()]
    return [values[channels] for values in layer.get_weights()]


def _config(layer: keras.layers.Layer, weights: list[np.ndarray]) -> dict[str, Any]:
    """The layer's own, with the filters of a group's kernel."""
    config: dict[str, Any] = layer.get_config()
    return config | {"filters": weights[0].shape[-1]} if isinstance(layer, layers.Conv2D) else config
