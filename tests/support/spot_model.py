"""A TFLite file whose predictions can be computed manually: all joints are where the crop is brightest."""

import hashlib
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
"""Values of the file's metadata."""
COORDINATES = {"output": "coordinates", "heatmap_fwhm": None, "decoding": None}


def write(path: Path, **values: object) -> Path:
    """Write a file with metadata; with COORDINATES all joints are in the crop's centre, others change the bytes."""
    metadata = Metadata(**FACTS | values)
    path.write_bytes(embed_metadata(content(coordinates="output" in values), metadata))
    return path


def write_pair(path: Path, weights: str, **values: object) -> tuple[Path, Path]:
    """Write a file with metadata, and next to it the weights that it was converted from; return both paths."""
    weights_path = path.with_suffix(".weights.h5")
    weights_path.write_text(weights)
    sha256 = hashlib.sha256(weights.encode()).hexdigest()
    return write(path, weights_sha256=sha256, **values), weights_path


def content(coordinates: bool = False) -> bytes:
    """Return the file without metadata."""
    import tensorflow as tf

    def brightness(crop: tf.Tensor) -> tf.Tensor:
        maps = tf.nn.avg_pool2d(crop / 255, STRIDE, STRIDE, "VALID")
        return tf.nn.conv2d(maps, np.full((1, 1, 3, 11), 1 / 3, np.float32), 1, "VALID")

    def centre(crop: tf.Tensor) -> tf.Tensor:
        return tf.transpose(brightness(crop)[:, :2, 0] * 0, (0, 2, 1))

    signature = tf.TensorSpec((1, SIZE, SIZE, 3), tf.float32)
    concrete = tf.function(centre if coordinates else brightness, autograph=False).get_concrete_function(signature)
    model: bytes = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    return model
