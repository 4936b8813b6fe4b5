"""No GAP: the baseline with its last block's map flattened instead of pooled (paper, Table 3, "GAP removed")."""

import keras
from keras import layers

from splitpose.models import backbone
from splitpose.models.coordinate_head import regression

CODEC = "coordinates"
TRAINABLE_BACKBONE_BLOCKS: tuple[int, ...] = ()


def build(size: int, width: float, momentum: float, split: str) -> keras.Model:
    """Crops (B, S, S, 3) in 0..255 -> coordinates (B, K, 2). `split` means nothing here."""
    inputs = keras.Input((size, size, 3), name="crop")
    x = backbone.stem(inputs, width, momentum)
    x = backbone.blocks(x, 1, 13, width, momentum)
    return keras.Model(inputs, regression(layers.Flatten(name="flatten")(x)), name="no_gap")
