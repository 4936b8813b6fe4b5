"""Contact sheet of crops with their joints, as used for training and evaluation."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from splitpose.crops.crop import Crop
from splitpose.crops.instances import to_instances
from splitpose.crops.shards import extract_image_crops
from splitpose.drawing import contact_sheet, draw_joints
from splitpose.settings import Crops

CROPS = 24
COLUMNS = 8
COPIES = 4
"""Augmented copies of each training instance, next to each other."""


def crop_sheet(rows: pd.DataFrame, data: Path, settings: Crops, split: str, cell_width: int = 160) -> np.ndarray:
    """Draw a sheet (H, W, 3) uint8 BGR of instances spread evenly over a split.

    Args:
        rows: rows of the annotation table, all of `split`; at least one.
        data: folder that the table's `image` paths are below.
        settings: settings of the crops.
        split: "train" shows several augmented copies of each instance, other splits one crop.
        cell_width: px per crop.
    """
    copies = min(COPIES, settings.copies_per_instance) if split == "train" else 1
    selected = np.unique(np.linspace(0, len(rows) - 1, CROPS // copies).round().astype(int))
    cells = [
        _draw_crop(crop, cell_width)
        for person in to_instances(rows.iloc[selected], settings)
        for crop in extract_image_crops(data, settings, split, [person])[:copies]
    ]
    return contact_sheet(cells, COLUMNS - COLUMNS % copies, cell_width)


def _draw_crop(crop: Crop, side: int) -> np.ndarray:
    zoom = side / crop.pixels.shape[0]
    interpolation = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(crop.pixels, (side, side), interpolation=interpolation)
    return draw_joints(pixels, zoom * (crop.joints + 0.5) - 0.5, scale=1.4)
