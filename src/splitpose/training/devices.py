"""What a training computes on: one device or several of this machine, in float32 or in mixed precision."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import keras

from splitpose.errors import InputError
from splitpose.settings import Training


@contextmanager
def computing(training: Training) -> Iterator[None]:
    """Models that are built and trained inside are so on the devices, and in the precision, of the settings.

    Several devices, GPUs or, where there is none, CPUs, share each batch: it is cut among them, their gradients are
    summed, and BatchNorm takes its statistics from the whole batch. So training does what it does on one device, up
    to rounding. One device is used as ever.

    Mixed precision is bfloat16: layers compute in it, but for those that give the model's output (see registry),
    BatchNorm's statistics and the loss. Weights stay float32, and so do their files. It has float32's range, so
    that no loss needs scaling.

    Raises:
        InputError: there are fewer devices, or the batch cannot be cut evenly.
    """
    policy = keras.config.dtype_policy()
    if training.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with _shared_among(training.devices, training.batch_size):
            yield
    finally:
        keras.config.set_dtype_policy(policy)


def _shared_among(devices: int, batch: int) -> Any:
    if devices == 1:
        return nullcontext()
    found = keras.distribution.list_devices()
    if len(found) < devices:
        raise InputError(f"training.devices: {devices}, and this machine has {', '.join(found)}")
    if batch % devices:
        raise InputError(
            f"training.batch_size: {batch} crops cannot be cut evenly among {devices} training.devices"
        )
    # With TensorFlow, Keras' trainer distributes by TensorFlow's strategies; keras.distribution does nothing there.
    import tensorflow as tf

    # By collective operations, TensorFlow's default, BatchNorm's sums of one layer met those of another.
    one_by_one = tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(found[:devices], cross_device_ops=one_by_one).scope()
