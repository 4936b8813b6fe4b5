"""Predicted joints in image pixels: conversion from crops, the predictions CSV, and the matching ground truth."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose.annotations import JOINT_COLUMNS, joints_of
from splitpose.crops.crop import Crop
from splitpose.crops.geometry import apply_affine, invert_affine
from splitpose.evaluation import joints_csv
from splitpose.files import atomic_file


def to_image(crops: Sequence[Crop], joints: np.ndarray) -> np.ndarray:
    """Convert (N, K, 2) joints from crop px to px of the images that the crops were cut from."""
    return np.stack(
        [apply_affine(invert_affine(crop.to_crop), points) for crop, points in zip(crops, joints, strict=True)]
    )


def ground_truth(table: pd.DataFrame, ids: Sequence[str]) -> np.ndarray:
    """Return the annotated joints of the instances with these ids: (N, K, 2) image px."""
    return joints_of(table.set_index("id").loc[list(ids)])


def write(ids: Sequence[str], joints: np.ndarray, path: Path) -> None:
    """Write (N, K, 2) image px as a CSV with the columns `id` and <joint>_x, <joint>_y."""
    rows = pd.DataFrame(joints.reshape(len(joints), -1), columns=JOINT_COLUMNS)
    rows.insert(0, "id", list(ids))
    with atomic_file(path) as temporary:
        rows.to_csv(temporary, index=False, float_format="%.3f")


def read(path: Path) -> tuple[list[str], np.ndarray]:
    """Read ids and (N, K, 2) px from a CSV of predictions or annotations; joints without columns are NaN.

    Raises:
        InputError: the file cannot be read; see `joints_csv.read`.
    """
    rows = joints_csv.read(path)
    return rows.ids, rows.joints
