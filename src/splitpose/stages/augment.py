"""augment: crops of every person as TFRecord shards; training people in several changed copies."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import pandas as pd

from splitpose import annotations
from splitpose.annotations import SPLITS, source_of
from splitpose.crops.instances import crop_coverage, select_croppable, to_instances
from splitpose.crops.shards import Shard, plan, prune, write
from splitpose.errors import InputError
from splitpose.files import atomic_folder
from splitpose.report.crop_sheet import crop_sheet
from splitpose.settings import Crops, Profile
from splitpose.stages.command import run

BYTES_A_PIXEL = 1.5
"""Generous for a JPEG of quality 95."""


def augment(profile: Profile, data: Path, table: Path, out: Path, sheets: Path) -> None:
    """Cut the crops that are not there yet; show some of each split."""
    settings = profile.crops
    annotated = annotations.read(table)
    people = select_croppable(annotated, settings.region_from)
    _tell(annotated, people, settings)

    shards = plan(people, data, settings)
    out.mkdir(parents=True, exist_ok=True)
    missing = [shard for shard in shards if not (out / shard.name).is_file()]
    _check_space(missing, settings, out)
    write(missing, data, settings, out)
    prune(shards, out)

    with atomic_folder(sheets) as folder:
        for split in SPLITS:
            sheet = crop_sheet(people[people["split"] == split], data, settings, split)
            cv2.imwrite(str(folder / f"{split}.jpg"), sheet)
            _count(split, shards, missing, settings)


def _tell(annotated: pd.DataFrame, people: pd.DataFrame, settings: Crops) -> None:
    """Print who has no box, and how each source's boxes frame people: sources may mean different boxes."""
    if settings.region_from == "joints":
        return
    left_out = annotated.drop(people.index)["split"].value_counts()
    print(f"left out for want of a box: {left_out.sum()} people", left_out.to_dict() or "")
    for source, rows in people.groupby(people["image"].map(source_of)):
        span, inside = crop_coverage(to_instances(rows, settings))
        print(f"{source}: joints span {span:.0%} of the crop's side (median), {inside:.1%} of them are inside")


def _check_space(missing: Sequence[Shard], settings: Crops, out: Path) -> None:
    need = int(sum(shard.crop_count(settings) for shard in missing) * settings.size**2 * BYTES_A_PIXEL)
    free = shutil.disk_usage(out).free
    if free < need:
        raise InputError(
            f"{out}: the crops need up to {need / 1e6:.0f} MB, {free / 1e6:.0f} MB are free; free some"
        )


def _count(split: str, shards: Sequence[Shard], missing: Sequence[Shard], settings: Crops) -> None:
    people = sum(len(shard.rows) for shard in shards if shard.split == split)
    crops = sum(shard.crop_count(settings) for shard in shards if shard.split == split)
    made = sum(shard.crop_count(settings) for shard in missing if shard.split == split)
    print(f"{split}: {crops} crops of {people} people; {made} made, {crops - made} kept from before")


if __name__ == "__main__":
    run(augment)
