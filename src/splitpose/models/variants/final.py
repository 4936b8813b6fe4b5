"""Final: split and hourglass-like, one heatmap a joint at a quarter of the input's side (paper, Figure 2).

Upsampling is bilinear. The authors' code doubles by nearest neighbour and the paper does not say which; phones'
XNNPACK runs bilinear resizing and leaves nearest-neighbour resizing to the slow path.
"""

import keras
from keras import layers

from splitpose.models import backbone
from splitpose.models.jointwise import JointwiseConvolution, allocate_channels
from splitpose.skeleton import JOINTS

CODEC = "heatmaps"
TRAINABLE_BACKBONE_BLOCKS: tuple[int, ...] = (11,)
"""The block that receives the skip at 14 x 14 trains in the frozen phase (paper, section 4)."""

FILTERS = {
    "lsho": 25,
    "lelb": 27,
    "lwri": 35,
    "rsho": 25,
    "relb": 27,
    "rwri": 35,
    "lhip": 27,
    "rhip": 27,
    "leye": 10,
    "reye": 10,
    "nose": 8,
}
"""The split block's 256 filters, joint by joint (paper, Figure 2b)."""


def build(size: int, width: float, momentum: float, split: str) -> keras.Model:
    """Crops (B, S, S, 3) in 0..255 -> heatmaps (B, S/4, S/4, K). Sizes in the comments are those at S = 224.

    `split` says where the cut between the joints begins: "sliced" cuts the 28 x 28 x 256 output, so that each
    joint has a slice of it (the authors' code); "shared" lets each joint's filters of the split block see all
    256 channels, and cuts only after it (the paper's discussion).
    """
    inputs = keras.Input((size, size, 3), name="crop")
    x = backbone.stem(inputs, width, momentum)
    at_28 = backbone.blocks(x, 1, 5, width, momentum)
    at_14 = backbone.blocks(at_28, 6, 6, width, momentum)
    x = backbone.blocks(at_14, 7, 10, width, momentum)
    x = layers.Add(name="add_14")([x, backbone.block(at_14, at_14.shape[-1], "skip_14", momentum)])
    x = backbone.blocks(x, 11, 11, width, momentum)

    channels = allocate_channels(backbone.scaled(sum(FILTERS.values()), width), FILTERS)
    x = layers.UpSampling2D(interpolation="bilinear", name="up_28")(x)
    x = backbone.block(x, sum(channels), "block_28", momentum)
    skip = backbone.block(at_28, sum(channels), "skip_28", momentum)
    x = layers.Add(name="add_28")([x, skip])

    x = layers.UpSampling2D(interpolation="bilinear", name="up_56")(x)
    x = backbone.depthwise(x, "split_dw", momentum)
    if split == "sliced":
        x = JointwiseConvolution(channels, channels, name="split_pw")(x)
        x = backbone.norm_relu(x, "split_pw", momentum)
    else:
        x = backbone.pointwise(x, sum(channels), "split_pw", momentum)
    heatmaps = JointwiseConvolution(channels, (1,) * len(JOINTS), use_bias=True, name="heatmaps")(x)
    return keras.Model(inputs, heatmaps, name="final")
