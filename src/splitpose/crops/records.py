"""Crops as TFRecord files: written once by the augment stage, read by training and evaluation.

A record has `id`, `crop` (JPEG), `joints` (2K float32 crop px, NaN where not annotated) and `to_crop` (6 float32).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import tensorflow as tf

from splitpose.crops.augment import Crop
from splitpose.errors import InputError
from splitpose.skeleton import JOINTS

JPEG_QUALITY = 95


def encode(crop: Crop) -> bytes:
    """A crop as one serialised record."""
    _, jpeg = cv2.imencode(".jpg", crop.pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    feature = {
        "id": _bytes(crop.id.encode()),
        "crop": _bytes(jpeg.tobytes()),
        "joints": _floats(crop.joints),
        "to_crop": _floats(crop.to_crop),
    }
    serialised: bytes = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString(
        deterministic=True
    )
    return serialised


def write(records: Iterable[bytes], folder: Path, split: str, shards: int) -> int:
    """Deal records out to `<split>-00000-of-0000N.tfrecord` files in turn; the number of records."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [str(folder / f"{split}-{shard:05d}-of-{shards:05d}.tfrecord") for shard in range(shards)]
    writers = [tf.io.TFRecordWriter(path) for path in paths]
    count = 0
    for count, record in enumerate(records, start=1):
        writers[(count - 1) % shards].write(record)
    for writer in writers:
        writer.close()
    return count


def files(folder: Path, split: str) -> list[str]:
    """The split's files in order. Raises InputError if there are none."""
    found = sorted(str(path) for path in folder.glob(f"{split}-*.tfrecord"))
    if not found:
        raise InputError(f"{folder}: no {split}-*.tfrecord there; run the augment stage")
    return found


def training_batches(folder: Path, size: int, batch: int, seed: int) -> tf.data.Dataset:
    """Endless seeded batches of the training split: (crops (B, S, S, 3) uint8 RGB, joints (B, K, 2) float32).

    The order is a function of the seed alone: everything is shuffled anew each round.
    """
    paths = files(folder, "train")
    return (
        tf.data.TFRecordDataset(paths)
        .shuffle(20_000, seed=seed, reshuffle_each_iteration=True)
        .repeat()
        .map(lambda record: _decode(record, size), num_parallel_calls=2, deterministic=True)
        .batch(batch, drop_remainder=True)
        .prefetch(4)
    )


def read(folder: Path, split: str, size: int) -> Iterator[Crop]:
    """All crops of a split, in order; pixels are RGB."""
    for record in tf.data.TFRecordDataset(files(folder, split)).as_numpy_iterator():
        example = tf.train.Example.FromString(record).features.feature
        jpeg = np.frombuffer(example["crop"].bytes_list.value[0], np.uint8)
        pixels = cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)
        if pixels is None:
            raise InputError(f"{folder}: a {split} crop is damaged; run `dvc repro --force augment`")
        yield Crop(
            example["id"].bytes_list.value[0].decode(),
            pixels,
            np.array(example["joints"].float_list.value, np.float32).reshape(len(JOINTS), 2),
            np.array(example["to_crop"].float_list.value, np.float32).reshape(2, 3),
        )


def _decode(record: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    feature = {
        "crop": tf.io.FixedLenFeature([], tf.string),
        "joints": tf.io.FixedLenFeature([len(JOINTS), 2], tf.float32),
    }
    example = tf.io.parse_single_example(record, feature)
    pixels = tf.io.decode_jpeg(example["crop"], channels=3, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(pixels, (size, size, 3)), example["joints"]


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _floats(values: np.ndarray) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(values).astype(np.float32)))
