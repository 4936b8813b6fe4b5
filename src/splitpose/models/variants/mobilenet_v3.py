"""MobileNet v3: the final variant's heatmap head on a much smaller backbone; not in the paper.

The backbone is MobileNetV3-Small (Howard et al. 2019, Table 2) up to its last block at 14 x 14, minimalistic: with
ReLU and without squeeze-and-excite, because XNNPACK does not support the int8 hard-swish.
"""

import keras
from keras import layers

from splitpose.models.layers import backbone
from splitpose.models.layers.batch_norm import BatchNorm
from splitpose.models.layers.heatmap_head import heatmap_head
from splitpose.settings import JointSplit
from splitpose.skeleton import JOINTS

CODEC = "heatmaps"
TRAINABLE_BACKBONE_BLOCKS: tuple[int, ...] = ()
HAS_IMAGENET_WEIGHTS = False

FILTERS_PER_JOINT = 16
"""Number of filters of each joint after the joint split, at width multiplier 1."""


def build(size: int, width: float, momentum: float, split: JointSplit) -> keras.Model:
    """Build the model: crops (B, S, S, 3) in 0..255 to heatmaps (B, S/4, S/4, K).

    Names and comments contain the sizes of feature maps at S = 224.
    """
    inputs = keras.Input((size, size, 3), name="crop")
    v3 = mobilenet_v3_small(inputs, width, momentum)
    at_28 = v3.get_layer("expanded_conv_2_add").output  # 28 x 28 x 24
    at_14 = v3.get_layer("expanded_conv_7_add").output  # 14 x 14 x 48
    channels = (backbone.scale_filters(FILTERS_PER_JOINT, width),) * len(JOINTS)
    return keras.Model(inputs, heatmap_head(at_14, at_28, channels, momentum, split), name="mobilenet_v3")


def mobilenet_v3_small(inputs: keras.KerasTensor, width: float, momentum: float) -> keras.Model:
    """Build keras.applications' network with its layer names, random weights and splitpose's BatchNorm layers.

    The network scales pixels from 0..255 itself.
    """

    def clone_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if isinstance(layer, layers.BatchNormalization):
            return BatchNorm.from_config(config | {"momentum": momentum})
        return layer.__class__.from_config(config)

    network = keras.applications.MobileNetV3Small(
        input_shape=inputs.shape[1:], alpha=width, minimalistic=True, include_top=False, weights=None
    )
    return keras.models.clone_model(network, input_tensors=inputs, clone_function=clone_layer)
