"""A TFLite file whose answers can be worked out by hand: all joints are where the crop is brightest."""

from pathlib import Path

import numpy as np

from splitpose.codecs import STRIDE
from splitpose.inference.metadata import Metadata, embed_metadata

SIZE = 32
FACTS = {
    "variant": "spot", "precision": "float32", "viewpoint": "observer", "size": SIZE, "region_from": "bbox",
    "padding": 1.5, "output": "heatmaps", "heatmap_fwhm": 3.0, "decoding": "argmax",
    "weights_sha256": "a" * 64, "crops_sha256": "b" * 64,
}  # fmt: skip
"""Of the file's card."""
COORDINATES = {"output": "coordinates", "heatmap_fwhm": None, "decoding": None}


def write(path: Path, **facts: object) -> Path:
    """A file with a card; with COORDINATES all joints are in the crop's middle, other facts change the bytes."""
    path.write_bytes(embed_metadata(content(coordinates="output" in facts), Metadata(**FACTS | facts)))
    return path


def content(coordinates: bool = False) -> bytes:
    """The file without a card."""
    import tensorflow as tf

    def brightness(crop: tf.Tensor) -> tf.Tensor:
        maps = tf.nn.avg_pool2d(crop / 255, STRIDE, STRIDE, "VALID")
        return tf.nn.conv2d(maps, np.full((1, 1, 3, 11), 1 / 3, np.float32), 1, "VALID")

    def middle(crop: tf.Tensor) -> tf.Tensor:
        return tf.transpose(brightness(crop)[:, :2, 0] * 0, (0, 2, 1))

    signature = tf.TensorSpec((1, SIZE, SIZE, 3), tf.float32)
    concrete = tf.function(middle if coordinates else brightness, autograph=False).get_concrete_function(signature)
    model: bytes = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    return model
