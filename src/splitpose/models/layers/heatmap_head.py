"""The head of variants that predict heatmaps: two upsampling steps, a joint split, one heatmap per joint.

It is the hourglass-like decoder of the paper's Figure 2. Upsampling is bilinear, because XNNPACK on phones supports
no other resizing; the authors' code uses the nearest neighbour, and the paper does not specify it.
"""

import keras
from keras import layers

from splitpose.models.layers import backbone
from splitpose.models.layers.jointwise import JointwiseConvolution
from splitpose.settings import JointSplit
from splitpose.skeleton import JOINTS


def heatmap_head(
    features: keras.KerasTensor,
    skip: keras.KerasTensor,
    channels: tuple[int, ...],
    momentum: float,
    split: JointSplit,
) -> keras.KerasTensor:
    """Predict heatmaps (B, S/4, S/4, K) from backbone features. Layer names contain the sizes at S = 224.

    Args:
        features: (B, S/16, S/16, C), the last output of the backbone.
        skip: (B, S/8, S/8, C'), an earlier output of the backbone, which is added after the first upsampling.
        channels: number of channels of each joint, in the skeleton's order.
        momentum: momentum of every BatchNorm layer.
        split: where the joint split begins. "sliced": the upsampled 28 x 28 feature map is split, so that each
            joint has a slice of its channels (the authors' code). "shared": each joint's filters of the next 1 x 1
            convolution see all channels, and the split comes after them (the paper's discussion).
    """
    total = sum(channels)
    x = layers.UpSampling2D(interpolation="bilinear", name="up_28")(features)
    x = backbone.separable_block(x, total, "block_28", momentum)
    x = layers.Add(name="add_28")([x, backbone.separable_block(skip, total, "skip_28", momentum)])

    x = layers.UpSampling2D(interpolation="bilinear", name="up_56")(x)
    x = backbone.depthwise_conv(x, "split_dw", momentum)
    if split == "sliced":
        x = JointwiseConvolution(channels, channels, name="split_pw")(x)
        x = backbone.batch_norm_relu(x, "split_pw", momentum)
    else:
        x = backbone.pointwise_conv(x, total, "split_pw", momentum)
    return JointwiseConvolution(channels, (1,) * len(JOINTS), use_bias=True, name="heatmaps")(x)
