"""MobileNet v3: heatmaps cut by joints, as the final variant's, on a far smaller trunk; not in the paper.

The trunk is MobileNetV3-Small (Howard et al. 2019, Table 2) to its last block at 14 x 14, minimalistic: with ReLU
and without squeeze-and-excite, because XNNPACK leaves int8's hard-swish to the slow path.
"""

import keras
from keras import layers

from splitpose.models import backbone
from splitpose.models.batch_norm import BatchNorm
from splitpose.models.jointwise import JointwiseConvolution
from splitpose.skeleton import JOINTS

CODEC = "heatmaps"
TRAINABLE_BACKBONE_BLOCKS: tuple[int, ...] = ()

FILTERS = 16
"""Of each joint, at width 1."""


def build(size: int, width: float, momentum: float, split: str) -> keras.Model:
    """Crops (B, S, S, 3) in 0..255 -> heatmaps (B, S/4, S/4, K). Sizes in the comments are those at S = 224.

    `split` is where the cut between the joints begins, as in the final variant.
    """
    inputs = keras.Input((size, size, 3), name="crop")
    v3 = mobilenet_v3(inputs, width, momentum)
    at_28 = v3.get_layer("expanded_conv_2_add").output  # 28 x 28 x 24
    x = v3.get_layer("expanded_conv_7_add").output  # 14 x 14 x 48

    channels = (backbone.scaled(FILTERS, width),) * len(JOINTS)
    x = layers.UpSampling2D(interpolation="bilinear", name="up_28")(x)
    x = backbone.block(x, sum(channels), "block_28", momentum)
    x = layers.Add(name="add_28")([x, backbone.block(at_28, sum(channels), "skip_28", momentum)])

    x = layers.UpSampling2D(interpolation="bilinear", name="up_56")(x)
    x = backbone.depthwise(x, "split_dw", momentum)
    if split == "sliced":
        x = JointwiseConvolution(channels, channels, name="split_pw")(x)
        x = backbone.norm_relu(x, "split_pw", momentum)
    else:
        x = backbone.pointwise(x, sum(channels), "split_pw", momentum)
    heatmaps = JointwiseConvolution(channels, (1,) * len(JOINTS), use_bias=True, name="heatmaps")(x)
    return keras.Model(inputs, heatmaps, name="mobilenet_v3")


def mobilenet_v3(inputs: keras.KerasTensor, width: float, momentum: float) -> keras.Model:
    """The network of keras.applications, its layers' names kept, with random weights and this project's BatchNorm.

    Pixels 0..255 are scaled inside.
    """

    def ours(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if isinstance(layer, layers.BatchNormalization):
            return BatchNorm.from_config(config | {"momentum": momentum})
        return layer.__class__.from_config(config)

    network = keras.applications.MobileNetV3Small(
        input_shape=inputs.shape[1:], alpha=width, minimalistic=True, include_top=False, weights=None
    )
    return keras.models.clone_model(network, input_tensors=inputs, clone_function=ours)
