"""Person instances of the annotation table with their crop regions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, SPLITS, joints_of
from splitpose.crops.geometry import CropRegion, crop_region
from splitpose.errors import InputError
from splitpose.settings import Crops, RegionFrom


@dataclass(frozen=True)
class Instance:
    """A person instance: one row of the annotation table, with its crop region."""

    id: str
    image: str
    """Path of the image below the data root."""
    image_size: tuple[int, int]
    """(width, height) in px of the image on which the joints were annotated."""
    joints: np.ndarray
    """(K, 2) image px, NaN where not annotated."""
    region: CropRegion


def select_croppable(table: pd.DataFrame, region_from: RegionFrom) -> pd.DataFrame:
    """Return the rows that can be cropped: all if `region_from` is "joints", those with a box if it is "bbox".

    An instance that the detector missed never reaches a model on a device. Cropping it around its annotated joints
    would score the model with information that it does not have, so the instance is left out.

    Raises:
        InputError: a split has no such rows.
    """
    rows = table.dropna(subset=BOX_COLUMNS) if region_from == "bbox" else table
    for split in SPLITS:
        if not (rows["split"] == split).any():
            which = "with a box (crops.region_from: bbox)" if (table["split"] == split).any() else "at all"
            raise InputError(f"annotation table: split {split} has no rows {which}; all three splits are required")
    return rows


def to_instances(rows: pd.DataFrame, settings: Crops) -> list[Instance]:
    """Convert rows of the annotation table to instances, in the same order."""
    columns = (rows["id"], rows["image"], rows["width"].tolist(), rows["height"].tolist())
    return [
        Instance(
            id, image, (width, height), joints, crop_region(joints, bbox, settings.region_from, settings.padding)
        )
        for id, image, width, height, joints, bbox in zip(
            *columns, joints_of(rows), rows[BOX_COLUMNS].to_numpy(), strict=True
        )
    ]


def crop_coverage(instances: Sequence[Instance]) -> tuple[float, float]:
    """Measure how much of their crops instances fill before augmentation.

    Returns:
        The median span of an instance's joints relative to the crop's side, and the share of all annotated joints
        that are inside their crop.
    """
    joints = np.stack([instance.joints for instance in instances])
    centres = np.array([(instance.region.x, instance.region.y) for instance in instances])
    sides = np.array([instance.region.side for instance in instances])
    spans = (np.nanmax(joints, axis=1) - np.nanmin(joints, axis=1)).max(axis=1) / sides
    distances = np.abs(joints - centres[:, None]).max(axis=2) / sides[:, None]
    return float(np.median(spans)), float((distances[np.isfinite(distances)] <= 0.5).mean())
