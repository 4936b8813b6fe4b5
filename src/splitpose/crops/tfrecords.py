"""Reading and writing of crops as TFRecord files.

A record has `id`, `crop` (JPEG), `joints` (2K float32 crop px, NaN where not annotated) and `to_crop` (6 float32).
Training reads the files by `splitpose.training.batches`.
"""

from collections.abc import Container, Iterable, Iterator
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
    """Encode a crop, pixels in BGR, as one serialised record."""
    _, jpeg = cv2.imencode(".jpg", crop.pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    feature = {
        "id": _bytes_feature(crop.id.encode()),
        "crop": _bytes_feature(jpeg.tobytes()),
        "joints": _float_feature(crop.joints),
        "to_crop": _float_feature(crop.to_crop),
    }
    serialised: bytes = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString(
        deterministic=True
    )
    return serialised


def write(records: Iterable[bytes], path: Path) -> None:
    """Write serialised records to a file, in order."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def list_shards(folder: Path, split: str) -> list[str]:
    """List the paths of a split's files in order.

    Raises:
        InputError: there are none.
    """
    paths = sorted(str(path) for path in folder.glob(f"{split}-*.tfrecord"))
    if not paths:
        raise InputError(f"{folder}: no {split}-*.tfrecord in this folder; create the crops first")
    return paths


def count(folder: Path, split: str) -> int:
    """Count the crops of a split."""
    return sum(1 for path in list_shards(folder, split) for _ in _read_records(path))


def read(folder: Path, split: str, indices: Container[int] | None = None) -> Iterator[Crop]:
    """Yield the crops of a split in the order of the file names, pixels in RGB.

    Args:
        folder: folder of the files.
        split: the split.
        indices: the positions of the crops in this order that are decoded and returned; by default all.

    Raises:
        InputError: a file is damaged.
    """
    records = (record for path in list_shards(folder, split) for record in _read_records(path))
    for index, record in enumerate(records):
        if indices is None or index in indices:
            example = tf.train.Example.FromString(record).features.feature
            jpeg = np.frombuffer(example["crop"].bytes_list.value[0], np.uint8)
            pixels: Any = cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)
            yield Crop(
                example["id"].bytes_list.value[0].decode(),
                pixels,
                np.array(example["joints"].float_list.value, np.float32).reshape(len(JOINTS), 2),
                np.array(example["to_crop"].float_list.value, np.float32).reshape(2, 3),
            )


def _read_records(path: str) -> Iterator[bytes]:
    """Yield the serialised records of a file; TensorFlow verifies the checksum of each."""
    try:
        yield from tf.data.TFRecordDataset(path).as_numpy_iterator()
    except tf.errors.DataLossError as error:
        raise InputError(f"{path}: damaged TFRecord file; delete it and create the crops again") from error


def _bytes_feature(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _float_feature(values: np.ndarray) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(values).astype(np.float32)))
