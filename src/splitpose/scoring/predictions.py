"""Predicted joints in the pixels of the pictures, their file, and the truth that belongs to them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose.annotations import JOINT_COLUMNS, joints_of
from splitpose.crops.crop import Crop
from splitpose.crops.geometry import apply, invert
from splitpose.errors import InputError
from splitpose.files import whole_file
from splitpose.skeleton import JOINTS


def in_pictures(crops: Sequence[Crop], joints: np.ndarray) -> np.ndarray:
    """(N, K, 2) joints in px of the crops -> px of the pictures that they were cut from."""
    return np.stack([apply(invert(crop.to_crop), points) for crop, points in zip(crops, joints, strict=True)])


def truth_of(table: pd.DataFrame, ids: Sequence[str]) -> np.ndarray:
    """The annotated joints of these people: (N, K, 2) px."""
    return joints_of(table.set_index("id").loc[list(ids)])


def write(ids: Sequence[str], joints: np.ndarray, path: Path) -> None:
    """Write (N, K, 2) px as a CSV: id and the joints' columns."""
    rows = pd.DataFrame(joints.reshape(len(joints), -1), columns=JOINT_COLUMNS)
    rows.insert(0, "id", list(ids))
    with whole_file(path) as beside:
        rows.to_csv(beside, index=False, float_format="%.3f")


def read(path: Path) -> tuple[list[str], np.ndarray]:
    """Ids and (N, K, 2) px of a CSV of predictions or annotations; joints without columns are NaN.

    Raises InputError if the file is missing, is no CSV, has no ids, or holds something that is no number.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a CSV with id and joint columns")
    try:
        rows = pd.read_csv(path, dtype={"id": str})
    except ValueError as error:  # empty, not text, or rows of different lengths
        raise InputError(f"{path}: not a readable CSV ({' '.join(str(error).split())})") from error
    if "id" not in rows:
        raise InputError(f"{path}: has no column 'id'")
    try:
        numbers = rows.reindex(columns=JOINT_COLUMNS).astype(np.float64).to_numpy()
    except ValueError as error:
        raise InputError(f"{path}: a joint's column holds something that is no number ({error})") from error
    return rows["id"].tolist(), numbers.reshape(len(rows), len(JOINTS), 2)
