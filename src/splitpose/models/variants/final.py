"""Final: hourglass-like, with a joint split and one heatmap per joint at a quarter of the input's side.

See Figure 2 of the paper.
"""

import keras
from keras import layers

from splitpose.models.layers import backbone
from splitpose.models.layers.heatmap_head import heatmap_head
from splitpose.models.layers.jointwise import allocate_channels
from splitpose.settings import JointSplit

CODEC = "heatmaps"
TRAINABLE_BACKBONE_BLOCKS: tuple[int, ...] = (11,)
"""The block that receives the skip connection at 14 x 14 is trainable in the frozen phase (paper, section 4)."""

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
"""The 256 filters after the joint split, by joint (paper, Figure 2b)."""


def build(size: int, width: float, momentum: float, split: JointSplit) -> keras.Model:
    """Build the model: crops (B, S, S, 3) in 0..255 to heatmaps (B, S/4, S/4, K).

    Names contain the sizes of feature maps at S = 224.
    """
    inputs = keras.Input((size, size, 3), name="crop")
    x = backbone.stem(inputs, width, momentum)
    at_28 = backbone.backbone_blocks(x, 1, 5, width, momentum)
    at_14 = backbone.backbone_blocks(at_28, 6, 6, width, momentum)
    x = backbone.backbone_blocks(at_14, 7, 10, width, momentum)
    x = layers.Add(name="add_14")([x, backbone.separable_block(at_14, at_14.shape[-1], "skip_14", momentum)])
    x = backbone.backbone_blocks(x, 11, 11, width, momentum)

    channels = allocate_channels(backbone.scale_filters(sum(FILTERS.values()), width), FILTERS)
    return keras.Model(inputs, heatmap_head(x, at_28, channels, momentum, split), name="final")
