"""No GAP: the baseline without global average pooling; the last feature map is flattened (paper, Table 3)."""

import keras
from keras import layers

from splitpose.models.layers import backbone
from splitpose.models.layers.coordinate_head import regression_head

CODEC = "coordinates"
TRAINABLE_BACKBONE_BLOCKS: tuple[int, ...] = ()


def build(size: int, width: float, momentum: float) -> keras.Model:
    """Build the model: crops (B, S, S, 3) in 0..255 to coordinates (B, K, 2)."""
    inputs = keras.Input((size, size, 3), name="crop")
    x = backbone.stem(inputs, width, momentum)
    x = backbone.backbone_blocks(x, 1, 13, width, momentum)
    return keras.Model(inputs, regression_head(layers.Flatten(name="flatten")(x)), name="no_gap")
