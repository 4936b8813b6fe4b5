"""augment: crops of every person as TFRecord shards; training people in several changed copies."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import pandas as pd

import splitpose.stages.quiet  # noqa: F401
from splitpose import annotations, pictures
from splitpose.annotations import BOX_COLUMNS, SPLITS, joints_of
from splitpose.crops import records
from splitpose.crops.augment import augmented, plain
from splitpose.crops.geometry import region_of
from splitpose.errors import InputError
from splitpose.files import whole_folder
from splitpose.progress import track
from splitpose.settings import Crops, Profile
from splitpose.stages.command import run

WORKERS = 2
BYTES_A_PIXEL = 1.5
"""Generous for a JPEG of quality 95."""


def augment(profile: Profile, data: Path, table: Path, out: Path) -> None:
    """Cut the crops."""
    people = annotations.read(table)
    settings = profile.crops
    _check_space(people, settings, out)
    with whole_folder(out) as folder:
        for split in SPLITS:
            rows = people[people["split"] == split]
            shards = settings.shards if split == "train" else 1
            count = records.write(_records(rows, data, settings, split), folder, split, shards)
            print(f"{split}: {count} crops of {len(rows)} people")


def _check_space(people: pd.DataFrame, settings: Crops, out: Path) -> None:
    crops = len(people) + (people["split"] == "train").sum() * (settings.copies - 1)
    need = int(crops * settings.size**2 * BYTES_A_PIXEL)
    out.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(out.parent).free
    if free < need:
        raise InputError(
            f"{out}: the crops need up to {need / 1e6:.0f} MB, {free / 1e6:.0f} MB are free; free some"
        )


def _records(rows: pd.DataFrame, data: Path, settings: Crops, split: str) -> Iterator[bytes]:
    """Records copy by copy, people in order; read and warped in threads (OpenCV frees the GIL)."""
    cv2.setNumThreads(1)
    copies = settings.copies if split == "train" else 1
    with ThreadPoolExecutor(WORKERS) as pool:
        cut = partial(_person, data, settings, split, copies)
        people = zip(rows.to_dict("records"), joints_of(rows), rows[BOX_COLUMNS].to_numpy(), strict=True)
        for of_one_person in track(pool.map(cut, people), f"crops: {split}", len(rows), "people"):
            yield from of_one_person


def _person(data: Path, settings: Crops, split: str, copies: int, person: tuple) -> list[bytes]:
    row, joints, box = person
    picture = pictures.read(data / row["image"], (row["width"], row["height"]))
    region = region_of(joints, box, settings.around, settings.margin)
    if split != "train":
        return [records.encode(plain(row["id"], picture, joints, region, settings.size))]
    crops = (augmented(row["id"], picture, joints, region, settings, copy) for copy in range(copies))
    return [records.encode(crop) for crop in crops]


if __name__ == "__main__":
    run(augment)
