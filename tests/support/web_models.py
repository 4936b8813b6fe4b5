"""Small TFLite files with metadata, and an image whose joints are known."""

from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf

from splitpose import models
from splitpose.codecs import Codec, Coordinates, Heatmaps
from splitpose.data.training_groups import SplitRule, TrainingGroups
from splitpose.export.tflite import convert_to_tflite
from splitpose.inference.metadata import Metadata, describe_codec, embed_metadata
from splitpose.skeleton import JOINTS

SIZE = 64
GREY = 170
CUBE = [[red, green, blue] for red in (60, 245) for green in (60, 245) for blue in (60, 245)]
JOINT_COLOURS = np.array([*CUBE, [60, 150, 245], [245, 60, 150], [150, 245, 60]])
"""(11, 3) RGB, one for each joint, all far from each other, from grey, and from the black outside an image."""
JOINT_POSITIONS = np.array(
    [
        *([60, 70], [50, 110], [75, 140]),
        *([130, 72], [150, 108], [128, 141]),
        *([75, 175], [120, 174], [88, 31], [108, 30], [98, 45]),
    ],
    float,
)
"""(11, 2) px of `image`."""


TRAINING_GROUPS = TrainingGroups((SplitRule("incoming/", 11, 0.25),), frozenset({1, 2, 3}))
"""The groups that the models are said to have been trained on."""


def image() -> np.ndarray:
    """Return an image (200, 230, 3) uint8 BGR: a dot in the colour of each joint on grey."""
    pixels = np.full((200, 230, 3), GREY, np.uint8)
    for position, colour in zip(JOINT_POSITIONS, JOINT_COLOURS, strict=True):
        centre, bgr = tuple(int(v) for v in position), tuple(int(v) for v in colour[::-1])
        cv2.circle(pixels, centre, 7, bgr, cv2.FILLED, cv2.LINE_AA)
    return pixels


def write_models(folder: Path) -> None:
    """Write `folder`/<variant>/<precision>.tflite."""
    for precision in ("float32", "float16"):
        write_model(folder, "dots", precision, dots(precision == "float16"), Heatmaps(SIZE, 3.0, "dark"))
    for variant, codec in {"final": Heatmaps(SIZE, 5.0, "dark"), "baseline": Coordinates(SIZE)}.items():
        model = untrained(variant)
        crops = np.random.default_rng(1).integers(0, 256, (8, SIZE, SIZE, 3), np.uint8)
        for precision in ("float32", "int8"):
            write_model(folder, variant, precision, convert_to_tflite(model, precision, crops), codec)


def write_model(
    folder: Path, variant: str, precision: str, content: bytes, codec: Codec, person_threshold: float | None = None
) -> None:
    """Write a file with metadata."""
    output, fwhm, decoding = describe_codec(codec)
    metadata = Metadata(
        variant=variant,
        precision=precision,
        viewpoint="observer",
        size=SIZE,
        region_from="joints",
        padding=1.5,
        output=output,
        heatmap_fwhm=fwhm,
        decoding=decoding,
        weights_sha256="a" * 64,
        crops_sha256="b" * 64,
        person_threshold=person_threshold,
        training_groups=TRAINING_GROUPS.to_json(),
    )
    (folder / variant).mkdir(exist_ok=True)
    (folder / variant / f"{precision}.tflite").write_bytes(embed_metadata(content, metadata))


def untrained(variant: str) -> keras.Model:
    """Return a variant whose batch-norm statistics are those of noise."""
    keras.utils.set_random_seed(0)
    model = models.build(variant, SIZE, 0.25, momentum=0.0)
    model(np.random.default_rng(0).integers(0, 256, (8, SIZE, SIZE, 3)).astype(np.float32), training=True)
    return model


def dots(half: bool) -> bytes:
    """Return a TFLite file that detects the colour of each joint, with float16 weights if `half`."""
    blur = cv2.getGaussianKernel(7, 1.2) @ cv2.getGaussianKernel(7, 1.2).T
    kernel = np.repeat(blur[..., None, None], len(JOINTS), 2).astype(np.float32)

    def function(crop: tf.Tensor) -> tf.Tensor:
        distances = [
            tf.reduce_sum(tf.abs(crop - colour), 3, keepdims=True) for colour in JOINT_COLOURS.astype(np.float32)
        ]
        similarity = tf.nn.avg_pool2d(tf.nn.relu(90.0 - tf.concat(distances, 3) / 1.3), 4, 4, "VALID")
        return tf.nn.depthwise_conv2d(similarity, kernel, (1, 1, 1, 1), "SAME")

    return convert(function, (1, SIZE, SIZE, 3), half)


def convert(function: Any, shape: tuple[int | None, ...], half: bool = False) -> bytes:
    """Return a function of one float32 input as a TFLite file."""
    concrete = tf.function(function, autograph=False).get_concrete_function(tf.TensorSpec(shape, tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    content: bytes = converter.convert()
    return content
