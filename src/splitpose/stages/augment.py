"""augment: write crops of all instances as TFRecord shards, training instances in several augmented copies."""

import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import pandas as pd

from splitpose import annotations
from splitpose.annotations import SPLITS, source_of
from splitpose.crops.instances import crop_coverage, select_croppable, to_instances
from splitpose.crops.shards import Shard, plan, prune, write
from splitpose.data.training_groups import TrainingGroups
from splitpose.data.training_groups_files import write_crop_groups
from splitpose.files import atomic_folder, check_disk_space
from splitpose.report.crop_sheet import crop_sheet
from splitpose.settings import Crops, Profile
from splitpose.stages.command import run

logger = logging.getLogger(__name__)

BYTES_PER_PIXEL = 1.5
"""Upper estimate for a JPEG of quality 95."""


def augment(profile: Profile, data: Path, table: Path, out: Path, sheets: Path) -> None:
    """Write the shards that do not exist yet, the groups of their instances, and a sheet of crops per split."""
    settings = profile.crops
    annotated = annotations.read(table)
    rows = select_croppable(annotated, settings.region_from)
    if settings.region_from == "bbox":
        _log_coverage(annotated, rows, settings)

    shards = plan(rows, data, settings)
    out.mkdir(parents=True, exist_ok=True)
    missing = [shard for shard in shards if not (out / shard.name).is_file()]
    check_disk_space(out, _estimate_bytes(missing, settings), "extracting the crops")
    write(missing, data, settings, out)
    prune(shards, out)
    write_crop_groups(out, TrainingGroups.of(annotated, profile))

    with atomic_folder(sheets) as folder:
        for split in SPLITS:
            sheet = crop_sheet(rows[rows["split"] == split], data, settings, split)
            cv2.imwrite(str(folder / f"{split}.jpg"), sheet)
            _log_counts(split, shards, missing, settings)


def _log_coverage(annotated: pd.DataFrame, rows: pd.DataFrame, settings: Crops) -> None:
    """Log how many rows have no bounding box, and how tightly the boxes of each source enclose the joints."""
    skipped = annotated.drop(rows.index)["split"].value_counts()
    counts = ", ".join(f"{split} {count:,}" for split, count in skipped.items())
    logger.info(f"{skipped.sum():,} instances skipped: no bounding box{f' ({counts})' if counts else ''}")
    for source, source_rows in rows.groupby(rows["image"].map(source_of)):
        span, inside = crop_coverage(to_instances(source_rows, settings))
        logger.info(
            f"{source}: joints span {span:.0%} of the crop's side (median), {inside:.1%} of them are inside"
        )


def _estimate_bytes(shards: Sequence[Shard], settings: Crops) -> int:
    """Return an upper estimate of the size of shards."""
    return int(sum(shard.crop_count(settings) for shard in shards) * settings.size**2 * BYTES_PER_PIXEL)


def _log_counts(split: str, shards: Sequence[Shard], missing: Sequence[Shard], settings: Crops) -> None:
    instances = sum(len(shard.rows) for shard in shards if shard.split == split)
    crops = sum(shard.crop_count(settings) for shard in shards if shard.split == split)
    new = sum(shard.crop_count(settings) for shard in missing if shard.split == split)
    logger.info(f"{split}: {crops:,} crops of {instances:,} instances ({new:,} new, {crops - new:,} unchanged)")


if __name__ == "__main__":
    run(augment)
