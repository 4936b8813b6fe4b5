"""Who is cut out of which picture, and where: the annotation table as people with squares."""

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
    """A row of the annotation table.

    image: path below the data root; size: (width, height) px that the joints, (K, 2) px, were marked on, NaN where
    not annotated; region: the square that becomes the crop.
    """

    id: str
    image: str
    image_size: tuple[int, int]
    joints: np.ndarray
    region: CropRegion


def select_croppable(table: pd.DataFrame, region_from: RegionFrom) -> pd.DataFrame:
    """The rows that can be cut out: "bbox" those with a box, "joints" all.

    A person whom the detector did not find never reaches a model on a phone. Cutting that person out around the
    marked joints would score the model with help that it does not get, so the person is left out.

    Raises InputError if a split is left without anybody.
    """
    rows = table.dropna(subset=BOX_COLUMNS) if region_from == "bbox" else table
    for split in SPLITS:
        if not (rows["split"] == split).any():
            whom = "with a box (crops.region_from: bbox)" if (table["split"] == split).any() else "at all"
            raise InputError(
                f"annotation table: the split {split!r} has nobody {whom}; all three splits are needed"
            )
    return rows


def to_instances(rows: pd.DataFrame, settings: Crops) -> list[Instance]:
    """The people of some rows of the annotation table, in order."""
    return [
        Instance(
            id, image, (width, height), joints, crop_region(joints, box, settings.region_from, settings.padding)
        )
        for id, image, width, height, joints, box in zip(
            rows["id"],
            rows["image"],
            rows["width"].tolist(),
            rows["height"].tolist(),
            joints_of(rows),
            rows[BOX_COLUMNS].to_numpy(),
            strict=True,
        )
    ]


def crop_coverage(people: Sequence[Instance]) -> tuple[float, float]:
    """How people stand in their crops before any augmentation.

    Returns:
        The part of the crop's side that a person's joints span (median), and the part of all joints inside a crop.
    """
    joints = np.stack([person.joints for person in people])
    middles = np.array([(person.region.x, person.region.y) for person in people])
    sides = np.array([person.region.side for person in people])
    spans = (np.nanmax(joints, axis=1) - np.nanmin(joints, axis=1)).max(axis=1) / sides
    distances = np.abs(joints - middles[:, None]).max(axis=2) / sides[:, None]
    return float(np.median(spans)), float((distances[np.isfinite(distances)] <= 0.5).mean())
