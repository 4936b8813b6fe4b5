"""Endless seeded batches of the training crops."""

from pathlib import Path

import tensorflow as tf

from splitpose.crops.tfrecords import list_shards
from splitpose.skeleton import JOINTS

FILES_IN_TURNS = 16
"""Training files that are read in turns."""

SHUFFLED = 20_000
"""Crops that are held, as JPEG, to draw the next one from: some 300 MB at 224 px."""


def training_batches(folder: Path, size: int, batch: int, seed: int, position: int = 0) -> tf.data.Dataset:
    """Endless seeded batches of the training split: (crops (B, S, S, 3) uint8 RGB, joints (B, K, 2) float32).

    The first is the batch at `position`; those before it are passed over without decoding them.
    """
    return (
        _shuffled(folder, seed)
        .skip(position * batch)
        .map(lambda record: _decode(record, size), num_parallel_calls=2, deterministic=True)
        .batch(batch, drop_remainder=True)
        .prefetch(4)
    )


def training_ids(folder: Path, batch: int, seed: int, position: int) -> list[str]:
    """The people in the batch at `position` of the same batches."""
    found = _shuffled(folder, seed).skip(position * batch).take(batch).as_numpy_iterator()
    examples = [tf.train.Example.FromString(record) for record in found]
    return [example.features.feature["id"].bytes_list.value[0].decode() for example in examples]


def _shuffled(folder: Path, seed: int) -> tf.data.Dataset:
    """The training split's records, endless. Their order is a function of the files and the seed alone.

    Everything is shuffled anew each round. A file holds people who stand together in the table, of one film, and
    all their copies; so many files, in an order by chance, are read in turns before single crops are shuffled.
    """
    paths = list_shards(folder, "train")
    return (
        tf.data.Dataset.from_tensor_slices(paths)
        .shuffle(len(paths), seed=seed, reshuffle_each_iteration=True)
        .interleave(tf.data.TFRecordDataset, cycle_length=FILES_IN_TURNS)
        .shuffle(SHUFFLED, seed=seed, reshuffle_each_iteration=True)
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
