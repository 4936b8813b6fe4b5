"""The shards that hold all crops: which there must be, and the making of those that are not there yet.

A shard holds the crops of consecutive people of one split and source. Its name ends in a digest of all that its
bytes come from, so a file that has the name is the shard, and is kept; other people or settings give new names.
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
"""Threads: OpenCV and hashlib free the GIL."""


@dataclass(frozen=True)
class Shard:
    """A file of crops: `people` are rows of the annotation table, all of `split`."""

    name: str
    split: str
    rows: pd.DataFrame

    def crop_count(self, settings: Crops) -> int:
        """How many crops it holds."""
        return len(self.rows) * (settings.copies_per_instance if self.split == "train" else 1)


def plan(people: pd.DataFrame, data: Path, settings: Crops) -> list[Shard]:
    """The shards of these rows of the annotation table, `settings.instances_per_shard` people each.

    The base source and each incoming one are cut into shards on their own, so that more people in one leave the
    others' shards as they are. In order of file names the base source comes first, and within a split and source
    people stay in the table's order.

    Raises InputError naming a picture that is not there.
    """
    contents = _contents(people["image"].unique().tolist(), data)
    ground = _digest_of_code() + settings.model_dump_json(exclude={"instances_per_shard"})
    shards = []
    for split in SPLITS:
        of_split = people[people["split"] == split]
        for source, rows in of_split.groupby(of_split["image"].map(source_of)):
            for number, start in enumerate(range(0, len(rows), settings.instances_per_shard)):
                chunk = rows.iloc[start : start + settings.instances_per_shard]
                depends_on = [
                    ground,
                    chunk.drop(columns="group").to_csv(index=False),
                    *chunk["image"].map(contents),
                ]
                digest = hashlib.sha256("\n".join(depends_on).encode()).hexdigest()[:16]
                shards.append(Shard(f"{split}-{_label(str(source))}-{number:05d}-{digest}.tfrecord", split, chunk))
    return shards


def write(shards: Sequence[Shard], data: Path, settings: Crops, folder: Path) -> None:
    """Cut the people of these shards out and write the files, one after the other.

    Raises InputError naming a picture that cannot be read; shards that were finished before stay.
    """
    cv2.setNumThreads(1)  # people are cut side by side already
    with ThreadPoolExecutor(WORKERS) as pool, bar("people") as progress:
        progress.add_task("crops", total=sum(len(shard.rows) for shard in shards))
        for shard in shards:
            with atomic_file(folder / shard.name) as beside:
                tfrecords.write(_encoded(shard, data, settings, pool, progress), beside)


def prune(shards: Sequence[Shard], folder: Path) -> None:
    """Delete what earlier runs left in the folder and is none of these shards."""
    wanted = {shard.name for shard in shards}
    for path in [*folder.glob("*.tfrecord"), *folder.glob(".part-*")]:
        if path.name not in wanted:
            path.unlink()


def extract_image_crops(data: Path, settings: Crops, split: str, people: Sequence[Instance]) -> list[Crop]:
    """All crops of people who are in one picture, which is read once."""
    picture = ImagePyramid(images.read(data / people[0].image, people[0].image_size))
    return [crop for person in people for crop in extract_crops(person, picture, settings, split)]


def _encoded(
    shard: Shard, data: Path, settings: Crops, pool: ThreadPoolExecutor, progress: Progress
) -> Iterator[bytes]:
    """Records of the shard's people in order, each person's copies together."""
    groups = [list(group) for _, group in groupby(to_instances(shard.rows, settings), lambda person: person.image)]
    of_groups = pool.map(partial(_cut_and_encode, data, settings, shard.split), groups)
    for group, serialised in zip(groups, of_groups, strict=True):
        yield from serialised
        progress.advance(progress.task_ids[0], len(group))


def _cut_and_encode(data: Path, settings: Crops, split: str, people: Sequence[Instance]) -> list[bytes]:
    return [tfrecords.encode(crop) for crop in extract_image_crops(data, settings, split, people)]


def _label(source: str) -> str:
    """A source as a part of a file name; need not be unique, because the digest is. "base" comes first."""
    return re.sub(r"[^\w.]+", "-", source)[:40] if source.startswith(INCOMING) else "base"


def _contents(images: Sequence[str], data: Path) -> dict[str, str]:
    """A digest of each picture's file."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(images, pool.map(lambda image: _digest_of_file(data / image), images), strict=True))


def _digest_of_file(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path}: no such picture")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest_of_code() -> str:
    """A digest of the code that crops come from: this package, how pictures are read, the joints, libraries."""
    modules = [*sorted(Path(__file__).parent.glob("*.py")), Path(images.__file__), Path(skeleton.__file__)]
    versions = f"OpenCV {cv2.__version__}, NumPy {np.__version__}"
    return hashlib.sha256(b"".join(path.read_bytes() for path in modules) + versions.encode()).hexdigest()
