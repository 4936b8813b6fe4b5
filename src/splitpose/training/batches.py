"""Infinite seeded batches of training crops."""

from pathlib import Path

import tensorflow as tf

from splitpose.crops.tfrecords import list_shards
from splitpose.skeleton import JOINTS

INTERLEAVED_FILES = 16
"""Number of training files that are read alternately."""

SHUFFLE_BUFFER = 20_000
"""Number of encoded crops in the shuffle buffer: about 300 MB at 224 px."""


def training_batches(folder: Path, size: int, batch_size: int, seed: int, position: int = 0) -> tf.data.Dataset:
    """Return infinite seeded batches of the training split.

    Args:
        folder: folder of the shards.
        size: side of the crops in px.
        batch_size: crops per batch.
        seed: seed of the order.
        position: index of the first batch; the ones before it are skipped without decoding.

    Returns:
        A dataset of (crops (B, S, S, 3) uint8 RGB, joints (B, K, 2) float32 crop px).
    """
    return (
        _shuffled_records(folder, seed)
        .skip(position * batch_size)
        .map(lambda record: _decode(record, size), num_parallel_calls=2, deterministic=True)
        .batch(batch_size, drop_remainder=True)
        .prefetch(4)
    )


def batch_ids(folder: Path, batch_size: int, seed: int, position: int) -> list[str]:
    """Return the instance ids in the batch at `position` of `training_batches`."""
    records = _shuffled_records(folder, seed).skip(position * batch_size).take(batch_size).as_numpy_iterator()
    examples = [tf.train.Example.FromString(record) for record in records]
    return [example.features.feature["id"].bytes_list.value[0].decode() for example in examples]


def _shuffled_records(folder: Path, seed: int) -> tf.data.Dataset:
    """Return the training split's records, repeated infinitely. Their order depends on the files and the seed only.

    Files and crops are reshuffled in each epoch. A file contains consecutive instances of the table, often of one
    film, with all their copies; therefore many files are interleaved in random order before the crops are shuffled.
    """
    paths = list_shards(folder, "train")
    return (
        tf.data.Dataset.from_tensor_slices(paths)
        .shuffle(len(paths), seed=seed, reshuffle_each_iteration=True)
        .interleave(tf.data.TFRecordDataset, cycle_length=INTERLEAVED_FILES)
        .shuffle(SHUFFLE_BUFFER, seed=seed, reshuffle_each_iteration=True)
        .repeat()
    )


def _decode(record: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    feature = {
        "crop": tf.io.FixedLenFeature([], tf.string),
        "joints": tf.io.FixedLenFeature([len(JOINTS), 2], tf.float32),
    }
    example = tf.io.parse_single_example(record, feature)
    pixels = tf.io.decode_jpeg(example["crop"], channels=3, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(pixels, (size, size, 3)), example["joints"]
