"""Planning of the TFRecord shards of all crops, and writing of missing shards.

A shard contains the crops of consecutive instances of one split and source. Its name ends in a digest of everything
that determines its bytes, so a file of this name is up to date; other instances or settings result in other names.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from os import cpu_count
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from rich.progress import Progress

from splitpose import images, skeleton
from splitpose.annotations import INCOMING, SPLITS, source_of
from splitpose.crops import tfrecords
from splitpose.crops.augmentation import extract_crops
from splitpose.crops.crop import Crop
from splitpose.crops.geometry import ImagePyramid
from splitpose.crops.instances import Instance, to_instances
from splitpose.errors import InputError
from splitpose.files import atomic_file
from splitpose.progress import bar
from splitpose.settings import Crops

WORKERS = cpu_count() or 1
"""Number of threads; OpenCV and hashlib release the GIL."""


@dataclass(frozen=True)
class Shard:
    """A planned TFRecord file."""

    name: str
    split: str
    rows: pd.DataFrame
    """Its instances: rows of the annotation table, all of the same split."""

    def crop_count(self, settings: Crops) -> int:
        """Return the number of crops in the shard."""
        return len(self.rows) * (settings.copies_per_instance if self.split == "train" else 1)


def plan(table: pd.DataFrame, data: Path, settings: Crops) -> list[Shard]:
    """Plan the shards of the annotation table, with `settings.instances_per_shard` instances each.

    The base source and each incoming source are divided into shards separately, so that instances added to one
    source leave the shards of the others unchanged. In the order of file names the base source is first, and within
    a split and source the instances keep the table's order.

    Raises:
        InputError: an image is missing.
    """
    image_digests = _digest_images(table["image"].unique().tolist(), data)
    common = _digest_code() + settings.model_dump_json(exclude={"instances_per_shard"})
    shards = []
    for split in SPLITS:
        in_split = table[table["split"] == split]
        for source, rows in in_split.groupby(in_split["image"].map(source_of)):
            for number, start in enumerate(range(0, len(rows), settings.instances_per_shard)):
                chunk = rows.iloc[start : start + settings.instances_per_shard]
                inputs = [
                    common,
                    chunk.drop(columns="group").to_csv(index=False),
                    *chunk["image"].map(image_digests),
                ]
                digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
                shards.append(Shard(f"{split}-{_label(str(source))}-{number:05d}-{digest}.tfrecord", split, chunk))
    return shards


def write(shards: Sequence[Shard], data: Path, settings: Crops, folder: Path) -> None:
    """Extract the crops of these shards and write the files, one after the other.

    Raises:
        InputError: an image cannot be read; the shards that are already complete are kept.
    """
    cv2.setNumThreads(1)  # instances are processed in parallel already
    with ThreadPoolExecutor(WORKERS) as pool, bar("instances") as progress:
        progress.add_task("crops", total=sum(len(shard.rows) for shard in shards))
        for shard in shards:
            with atomic_file(folder / shard.name) as temporary:
                tfrecords.write(_encode_shard(shard, data, settings, pool, progress), temporary)


def prune(shards: Sequence[Shard], folder: Path) -> None:
    """Delete shards and partial files of earlier runs that are not among these shards."""
    current = {shard.name for shard in shards}
    for path in [*folder.glob("*.tfrecord"), *folder.glob(".part-*")]:
        if path.name not in current:
            path.unlink()


def extract_image_crops(data: Path, settings: Crops, split: str, instances: Sequence[Instance]) -> list[Crop]:
    """Return all crops of instances in the same image, which is read once."""
    image = ImagePyramid(images.read(data / instances[0].image, instances[0].image_size))
    return [crop for instance in instances for crop in extract_crops(instance, image, settings, split)]


def _encode_shard(
    shard: Shard, data: Path, settings: Crops, pool: ThreadPoolExecutor, progress: Progress
) -> Iterator[bytes]:
    """Yield the records of the shard's instances in order, each instance's copies together."""
    groups = [
        list(group) for _, group in groupby(to_instances(shard.rows, settings), lambda instance: instance.image)
    ]
    encoded = pool.map(partial(_extract_and_encode, data, settings, shard.split), groups)
    for group, records in zip(groups, encoded, strict=True):
        yield from records
        progress.advance(progress.task_ids[0], len(group))


def _extract_and_encode(data: Path, settings: Crops, split: str, instances: Sequence[Instance]) -> list[bytes]:
    return [tfrecords.encode(crop) for crop in extract_image_crops(data, settings, split, instances)]


def _label(source: str) -> str:
    """Return a source's label in file names; it need not be unique, because the digest is. "base" sorts first."""
    return re.sub(r"[^\w.]+", "-", source)[:40] if source.startswith(INCOMING) else "base"


def _digest_images(names: Sequence[str], data: Path) -> dict[str, str]:
    """Return a digest of each image file."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(names, pool.map(lambda name: _digest_file(data / name), names), strict=True))


def _digest_file(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path}: no such image")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest_code() -> str:
    """Return a digest of the code that determines crops: this package, image reading, the skeleton, libraries."""
    modules = [*sorted(Path(__file__).parent.glob("*.py")), Path(images.__file__), Path(skeleton.__file__)]
    versions = f"OpenCV {cv2.__version__}, NumPy {np.__version__}"
    return hashlib.sha256(b"".join(path.read_bytes() for path in modules) + versions.encode()).hexdigest()
