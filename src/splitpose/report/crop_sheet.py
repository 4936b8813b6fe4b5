"""Crops with their joints drawn, as training and evaluation see them."""

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
"""Of a training person, side by side."""


def crop_sheet(rows: pd.DataFrame, data: Path, settings: Crops, split: str, cell: int = 160) -> np.ndarray:
    """A sheet (H, W, 3) uint8 BGR of people spread evenly over a split.

    Args:
        rows: of the annotation table, all of `split`; at least one.
        data: the folder that `image` is below.
        settings: of the crops.
        split: "train" shows several copies of each person, the others one crop.
        cell: px a crop.
    """
    copies = min(COPIES, settings.copies_per_instance) if split == "train" else 1
    chosen = np.unique(np.linspace(0, len(rows) - 1, CROPS // copies).round().astype(int))
    cells = [
        _drawn(crop, cell)
        for person in to_instances(rows.iloc[chosen], settings)
        for crop in extract_image_crops(data, settings, split, [person])[:copies]
    ]
    return contact_sheet(cells, COLUMNS - COLUMNS % copies, cell)


def _drawn(crop: Crop, side: int) -> np.ndarray:
    zoom = side / crop.pixels.shape[0]
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(crop.pixels, (side, side), interpolation=how)
    return draw_joints(pixels, zoom * (crop.joints + 0.5) - 0.5, scale=1.4)
