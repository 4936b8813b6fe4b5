"""Split: the last block's channels are split between the joints, and each joint is regressed from its own channels.

See section 3.3 of the paper.
"""

import keras

from splitpose.models.layers import backbone
from splitpose.models.layers.coordinate_head import scale_coordinates
from splitpose.models.layers.jointwise import JointwiseRegression, allocate_channels

CODEC = "coordinates"
TRAINABLE_BACKBONE_BLOCKS: tuple[int, ...] = ()

FILTERS = {
    "lsho": 105,
    "lelb": 105,
    "lwri": 140,
    "rsho": 105,
    "relb": 105,
    "rwri": 140,
    "lhip": 105,
    "rhip": 105,
    "leye": 35,
    "reye": 35,
    "nose": 44,
}
"""The last block's 1024 filters by joint (the authors' code)."""


def build(size: int, width: float, momentum: float) -> keras.Model:
    """Build the model: crops (B, S, S, 3) in 0..255 to coordinates (B, K, 2)."""
    inputs = keras.Input((size, size, 3), name="crop")
    x = backbone.stem(inputs, width, momentum)
    x = backbone.backbone_blocks(x, 1, 13, width, momentum)
    channels = allocate_channels(x.shape[-1], FILTERS)
    x = JointwiseRegression(channels, name="joints")(x)
    return keras.Model(inputs, scale_coordinates(x), name="split")
