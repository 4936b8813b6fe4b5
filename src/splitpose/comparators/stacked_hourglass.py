"""Stacked hourglasses for the 16 joints of MPII.

Architecture: Newell et al., ECCV 2016, section 3, with the hourglass of Figure 3 and the residual module and the
connection between two hourglasses of Figure 4. As in the authors' PyTorch code, a residual module follows each
hourglass. With 8 stacks, 25.1 M parameters are published (Sun et al., CVPR 2019, Table 1); this network has 25.4 M,
and 0.1 M batch-norm statistics. The same table lists 14.3 GFLOPs at 256 x 192 px, which corresponds to 19 at
256 x 256 px; this network has 27.4 GMACs.
"""

import keras
from keras import layers

JOINTS = 16
FEATURES = 256
DEPTH = 4
"""Number of times that an hourglass halves its feature map: from 64 to 4 px."""


def build(size: int, stacks: int, features: int = FEATURES) -> keras.Model:
    """Build the network.

    Args:
        size: side S of the input, px; a multiple of 64.
        stacks: number of hourglasses.
        features: number of channels between the modules.

    Returns:
        Model from images (B, S, S, 3) to the last hourglass's heatmaps (B, S/4, S/4, 16).
    """
    inputs = keras.Input((size, size, 3), name="image")
    x = layers.Conv2D(64, 7, 2, padding="same")(inputs)
    x = layers.MaxPooling2D(2)(_residual(_norm_relu(x), 128))
    x = _residual(_residual(x, 128), features)
    y, heatmaps = _stack(x)
    for _ in range(stacks - 1):
        x = layers.Add()([x, layers.Conv2D(features, 1)(y), layers.Conv2D(features, 1)(heatmaps)])
        y, heatmaps = _stack(x)
    return keras.Model(inputs, heatmaps, name=f"stacked_hourglass_{stacks}")


def _stack(x: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return the features and heatmaps of an hourglass, which the next one receives besides its input."""
    y = _residual(_hourglass(x, DEPTH), x.shape[-1])
    y = _norm_relu(layers.Conv2D(x.shape[-1], 1)(y))
    return y, layers.Conv2D(JOINTS, 1)(y)


def _hourglass(x: keras.KerasTensor, depth: int) -> keras.KerasTensor:
    """Pool, apply the inner hourglass, upsample by nearest neighbour, and add the skip connection."""
    features = x.shape[-1]
    low = _residual(layers.MaxPooling2D(2)(x), features)
    low = _hourglass(low, depth - 1) if depth > 1 else _residual(low, features)
    low = _residual(low, features)
    return layers.Add()([_residual(x, features), _upsample(low)])


def _upsample(x: keras.KerasTensor) -> keras.KerasTensor:
    """Double the sides by nearest neighbour with operators that XNNPACK supports, unlike those of Keras' layer."""
    height, width, features = x.shape[1:]
    x = layers.Reshape((height, 2 * width, features))(layers.Concatenate(axis=3)([x, x]))
    return layers.Reshape((2 * height, 2 * width, features))(layers.Concatenate(axis=2)([x, x]))


def _residual(x: keras.KerasTensor, features: int) -> keras.KerasTensor:
    """Add 1 x 1, 3 x 3 and 1 x 1 convolutions, the first two with half of the features, to their input."""
    y = layers.Conv2D(features // 2, 1)(_norm_relu(x))
    y = layers.Conv2D(features // 2, 3, padding="same")(_norm_relu(y))
    y = layers.Conv2D(features, 1)(_norm_relu(y))
    return layers.Add()([y, x if x.shape[-1] == features else layers.Conv2D(features, 1)(x)])


def _norm_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization()(x))
