"""Conversion of a Keras model to float32, float16 and full int8 TFLite files with built-in operators only."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from splitpose.export.joint_groups import split_into_groups
from splitpose.models.layers.jointwise import with_export_layers
from splitpose.settings import Precision


def convert_to_tflite(model: keras.Model, precision: Precision, calibration: np.ndarray) -> bytes:
    """Convert a model to a TFLite file in one precision; see `convert_to_precisions`."""
    return next(convert_to_precisions(model, [precision], calibration))


def convert_to_precisions(
    model: keras.Model, precisions: Sequence[Precision], calibration: np.ndarray
) -> Iterator[bytes]:
    """Yield TFLite files of a model with input (1, S, S, 3) float32 in 0..255, one for each precision.

    Args:
        model: a model with trained weights.
        precisions: float32; float16 weights; or int8 weights and activations between float32 input and output.
        calibration: (N, S, S, 3) uint8 training crops that determine int8's quantisation ranges.

    Raises:
        RuntimeError: the model requires operators that are not built in.
    """
    export_model = split_into_groups(model, with_export_layers(model))
    function = tf.function(lambda crop: export_model(crop, training=False), autograph=False)
    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="crop")
    concrete = function.get_concrete_function(signature)
    for precision in precisions:
        yield _convert(concrete, precision, calibration)


def _convert(concrete: Any, precision: Precision, calibration: np.ndarray) -> bytes:
    """Convert a function of one crop."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.representative_dataset = _representative_dataset(calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    content: bytes = converter.convert()
    return content


def _representative_dataset(calibration: np.ndarray) -> Callable[[], Iterator[list[Any]]]:
    def batches() -> Iterator[list[Any]]:
        for pixels in calibration:
            yield [pixels[None].astype(np.float32)]

    return batches
