"""Predicted joints in the pixels of the pictures, their file, and the truth that belongs to them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose.annotations import JOINT_COLUMNS, joints_of
from splitpose.crops.crop import Crop
from splitpose.crops.geometry import apply_affine, invert_affine
from splitpose.evaluation import joints_csv
from splitpose.files import atomic_file


def in_pictures(crops: Sequence[Crop], joints: np.ndarray) -> np.ndarray:
    """(N, K, 2) joints in px of the crops -> px of the pictures that they were cut from."""
    return np.stack(
        [apply_affine(invert_affine(crop.to_crop), points) for crop, points in zip(crops, joints, strict=True)]
    )


def truth_of(table: pd.DataFrame, ids: Sequence[str]) -> np.ndarray:
    """The annotated joints of these people: (N, K, 2) px."""
    return joints_of(table.set_index("id").loc[list(ids)])


def write(ids: Sequence[str], joints: np.ndarray, path: Path) -> None:
    """Write (N, K, 2) px as a CSV: id and the joints' columns."""
    rows = pd.DataFrame(joints.reshape(len(joints), -1), columns=JOINT_COLUMNS)
    rows.insert(0, "id", list(ids))
    with atomic_file(path) as beside:
        rows.to_csv(beside, index=False, float_format="%.3f")


def read(path: Path) -> tuple[list[str], np.ndarray]:
    """Ids and (N, K, 2) px of a CSV of predictions or annotations; joints without columns are NaN.

    Raises InputError as `joints_csv.read` does.
    """
    people = joints_csv.read(path)
    return people.ids, people.joints
