"""Baseline: MobileNet v1 to its last block, global average pooling, a linear layer of 22 (paper, section 4)."""

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
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, regression(x), name="baseline")
