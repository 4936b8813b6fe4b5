"""Joint groups: the layers after the joint split, arranged for fast inference on a phone.

One block-diagonal kernel for all joints would spend most of its operations on the zeros between the joints; eleven
small kernels would spend more time on copying slices than they save. A few groups of neighbouring joints, each with
its own slice of the channels up to its heatmaps, are fastest. The model's outputs are unchanged.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

from splitpose.models.layers.jointwise import JointwiseConvolution

GROUPS = (2, 2, 2, 2, 3)
"""Number of joints in each group, in the skeleton's order. XNNPACK concatenates at most five feature maps."""

CUT, SPLIT, HEATMAPS = "up_56", "split_pw", "heatmaps"
"""Names of layers: the first one that is split, the 1 x 1 convolution of each joint's own channels, the last."""


def split_into_groups(model: keras.Model, export_model: keras.Model) -> keras.Model:
    """Return an equivalent model in which the layers from CUT on are repeated for each group.

    Args:
        model: a variant.
        export_model: the equivalent model with Keras' own layers, as returned by `with_export_layers`. It is
            returned unchanged if the variant has no split at CUT, or if its filters after CUT see all channels.
    """
    names = [layer.name for layer in model.layers]
    if CUT not in names or SPLIT not in names or not isinstance(model.get_layer(SPLIT), JointwiseConvolution):
        return export_model
    offsets = np.cumsum([0, *model.get_layer(SPLIT).channels])
    split_layers = export_model.layers[export_model.layers.index(export_model.get_layer(CUT)) :]
    heatmaps, first = [], 0
    for number, count in enumerate(GROUPS):
        joints = slice(first, first + count)
        channels = slice(int(offsets[joints.start]), int(offsets[joints.stop]))
        x = split_layers[0].input[..., channels]
        for layer in split_layers:
            weights = _group_weights(layer, channels, joints)
            config = _group_config(layer, weights) | {"name": f"{layer.name}_{number}"}
            group_layer = layer.__class__.from_config(config)
            x = group_layer(x)
            group_layer.set_weights(weights)
        heatmaps.append(x)
        first += count
    outputs = layers.Concatenate(name=HEATMAPS)(heatmaps)
    return keras.Model(export_model.input, outputs, name=export_model.name)


def _group_weights(layer: keras.layers.Layer, channels: slice, joints: slice) -> list[np.ndarray]:
    """Return the part of the layer's weights that belongs to a group."""
    filters = joints if layer.name == HEATMAPS else channels
    if isinstance(layer, layers.Conv2D):
        kernel, *bias = layer.get_weights()
        return [kernel[:, :, channels, filters], *(values[filters] for values in bias)]
    if isinstance(layer, layers.DepthwiseConv2D):
        return [kernel[:, :, channels] for kernel in layer.get_weights()]
    return [values[channels] for values in layer.get_weights()]


def _group_config(layer: keras.layers.Layer, weights: list[np.ndarray]) -> dict[str, Any]:
    """Return the layer's configuration with the number of filters of a group's kernel."""
    config: dict[str, Any] = layer.get_config()
    return config | {"filters": weights[0].shape[-1]} if isinstance(layer, layers.Conv2D) else config
