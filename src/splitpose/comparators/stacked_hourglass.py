"""Stacked hourglasses for the 16 joints of MPII.

Newell et al., ECCV 2016, section 3: the hourglass in Figure 3, the residual module and what stands between two
hourglasses in Figure 4. As in the authors' PyTorch code, a residual module follows each hourglass. Published for 8
stacks are 25.1 M parameters (Sun et al., CVPR 2019, Table 1); here are 25.4 M, and 0.1 M statistics of BatchNorm.
They count 14.3 GFLOPs at 256 x 192 px, which makes 19 at 256 x 256; here are 27.4 G multiply-adds.
"""

import keras
from keras import layers

JOINTS = 16
FEATURES = 256
DEPTH = 4
"""Times that an hourglass halves its map: 64 to 4 px."""


def build(size: int, stacks: int, features: int = FEATURES) -> keras.Model:
    """Pictures (B, S, S, 3), S a multiple of 64 -> heatmaps (B, S/4, S/4, 16) of the last hourglass."""
    inputs = keras.Input((size, size, 3), name="picture")
    x = layers.Conv2D(64, 7, 2, padding="same")(inputs)
    x = layers.MaxPooling2D(2)(_residual(_norm_relu(x), 128))
    x = _residual(_residual(x, 128), features)
    y, heatmaps = _stack(x)
    for _ in range(stacks - 1):
        x = layers.Add()([x, layers.Conv2D(features, 1)(y), layers.Conv2D(features, 1)(heatmaps)])
        y, heatmaps = _stack(x)
    return keras.Model(inputs, heatmaps, name=f"stacked_hourglass_{stacks}")


def _stack(x: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """What the next hourglass is given besides its input: features and heatmaps."""
    y = _residual(_hourglass(x, DEPTH), x.shape[-1])
    y = _norm_relu(layers.Conv2D(x.shape[-1], 1)(y))
    return y, layers.Conv2D(JOINTS, 1)(y)


def _hourglass(x: keras.KerasTensor, depth: int) -> keras.KerasTensor:
    """Down by a half, the same again within, and up by nearest neighbour, with a way past it all."""
    features = x.shape[-1]
    low = _residual(layers.MaxPooling2D(2)(x), features)
    low = _hourglass(low, depth - 1) if depth > 1 else _residual(low, features)
    low = _residual(low, features)
    return layers.Add()([_residual(x, features), _doubled(low)])


def _doubled(x: keras.KerasTensor) -> keras.KerasTensor:
    """Every pixel four times: nearest neighbour from operations that XNNPACK runs; Keras' own layer has others."""
    height, width, features = x.shape[1:]
    x = layers.Reshape((height, 2 * width, features))(layers.Concatenate(axis=3)([x, x]))
    return layers.Reshape((2 * height, 2 * width, features))(layers.Concatenate(axis=2)([x, x]))


def _residual(x: keras.KerasTensor, features: int) -> keras.KerasTensor:
    """1 x 1, 3 x 3 and 1 x 1 convolutions, the first two with half of the features, added to what came in."""
    y = layers.Conv2D(features // 2, 1)(_norm_relu(x))
    y = layers.Conv2D(features // 2, 3, padding="same")(_norm_relu(y))
    y = layers.Conv2D(features, 1)(_norm_relu(y))
    return layers.Add()([y, x if x.shape[-1] == features else layers.Conv2D(features, 1)(x)])


def _norm_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization()(x))
