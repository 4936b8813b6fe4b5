"""The devices and the precision of training: one or several devices of this machine, float32 or mixed precision."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import keras

from splitpose.errors import InputError
from splitpose.settings import Training


@contextmanager
def device_scope(training: Training) -> Iterator[None]:
    """In this context, models are built and trained on the devices and in the precision of the settings.

    Several devices (GPUs or, without GPUs, CPUs) share each batch: it is divided between them, their gradients are
    summed, and BatchNorm computes its statistics over the entire batch. The result equals that of one device up to
    rounding. One device is used without a strategy.

    Mixed precision is bfloat16. The output layers (see `models.registry`), BatchNorm's statistics, the loss and the
    weights, also in files, stay float32. bfloat16 has float32's range, so that no loss scaling is needed.

    Raises:
        InputError: the machine has fewer devices, or they cannot share a batch evenly.
    """
    policy = keras.config.dtype_policy()
    if training.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with _strategy_scope(training.devices, training.batch_size):
            yield
    finally:
        keras.config.set_dtype_policy(policy)


def _strategy_scope(device_count: int, batch_size: int) -> Any:
    if device_count == 1:
        return nullcontext()
    devices = keras.distribution.list_devices()
    if len(devices) < device_count:
        raise InputError(f"training.devices: {device_count} requested, but this machine has {', '.join(devices)}")
    if batch_size % device_count:
        raise InputError(
            f"training.batch_size: {batch_size} crops cannot be divided evenly between {device_count} "
            "training.devices"
        )
    # With the TensorFlow backend, Keras trains on several devices by TensorFlow's strategies; keras.distribution
    # has no effect there.
    import tensorflow as tf

    # Collective operations, TensorFlow's default, mixed up the sums of different BatchNorm layers.
    reduction = tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(devices[:device_count], cross_device_ops=reduction).scope()
