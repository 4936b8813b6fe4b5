"""Crops as TFRecord files: written once by the augment stage, read by training (training/batches.py) and scoring.

A record has `id`, `crop` (JPEG), `joints` (2K float32 crop px, NaN where not annotated) and `to_crop` (6 float32).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from splitpose.crops.crop import Crop
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


def write(serialised: Iterable[bytes], path: Path) -> None:
    """Write records to a file, in order."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in serialised:
            writer.write(record)


def list_shards(folder: Path, split: str) -> list[str]:
    """The split's files in order. Raises InputError if there are none."""
    found = sorted(str(path) for path in folder.glob(f"{split}-*.tfrecord"))
    if not found:
        raise InputError(f"{folder}: no {split}-*.tfrecord there; run the augment stage")
    return found


def count(folder: Path, split: str) -> int:
    """How many crops a split has."""
    return sum(1 for path in list_shards(folder, split) for _ in _records(path))


def read(folder: Path, split: str) -> Iterator[Crop]:
    """All crops of a split in order of their files' names; pixels are RGB.

    Raises InputError naming a file that is damaged.
    """
    for path in list_shards(folder, split):
        for record in _records(path):
            example = tf.train.Example.FromString(record).features.feature
            jpeg = np.frombuffer(example["crop"].bytes_list.value[0], np.uint8)
            pixels: Any = cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)
            yield Crop(
                example["id"].bytes_list.value[0].decode(),
                pixels,
                np.array(example["joints"].float_list.value, np.float32).reshape(len(JOINTS), 2),
                np.array(example["to_crop"].float_list.value, np.float32).reshape(2, 3),
            )


def _records(path: str) -> Iterator[bytes]:
    """The serialised records of a file; each has a checksum, so what comes is what was written."""
    try:
        yield from tf.data.TFRecordDataset(path).as_numpy_iterator()
    except tf.errors.DataLossError as error:
        raise InputError(f"{path}: damaged; delete it and run `dvc repro augment`") from error


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _floats(values: np.ndarray) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(values).astype(np.float32)))
