"""The annotation table: one row per person instance, the common format of all sources and stages.

`image` is a path below the data root (the folder `data`); `image` and `id` identify the source of a row. Pixel
centres are at integers; x points right and y down; joints that are not annotated are NaN.
"""

from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from splitpose.errors import InputError
from splitpose.files import atomic_file
from splitpose.skeleton import JOINTS

SPLITS = ("train", "val", "test")
BOX_COLUMNS = ["box_x0", "box_y0", "box_x1", "box_y1"]
JOINT_COLUMNS = [f"{joint}_{axis}" for joint in JOINTS for axis in "xy"]
TEXT_COLUMNS = ["id", "image", "split", "group"]
COLUMNS = ["id", "image", "width", "height", "split", "group", *BOX_COLUMNS, *JOINT_COLUMNS]

REPLACES = "replaces"
"""Optional last column: id of the earlier row that a row with corrected joints replaces, empty for other rows."""

INCOMING = "incoming"
"""Folder of the data root for new images; each of its subfolders is a source."""

DUPLICATE_DISTANCE = 0.3
"""Mean joint distance, in torso diameters, below which two rows of an image annotate the same person.

In FLIC, two annotations of one person are at most 0.2 apart, different people at least 0.6.
"""

MIN_COMMON_JOINTS = 5
"""Joints that both rows must have annotated: in a crowd, fewer joints can be close to each other by chance."""


def joints_of(table: pd.DataFrame) -> np.ndarray:
    """Return the joints of all rows, (N, K, 2) float64 in px, NaN where not annotated."""
    return table[JOINT_COLUMNS].to_numpy(np.float64).reshape(len(table), len(JOINTS), 2)


def with_joints(table: pd.DataFrame, joints: np.ndarray) -> pd.DataFrame:
    """Return a copy of `table` with the joints replaced by `joints`, (N, K, 2) in px."""
    flat = pd.DataFrame(joints.reshape(len(table), -1), columns=JOINT_COLUMNS, index=table.index)
    return pd.concat([table.drop(columns=JOINT_COLUMNS, errors="ignore"), flat], axis=1)


def source_of(image: str) -> str:
    """Return the source of an image: "raw", "incoming/<subfolder>", or "incoming" for images directly in it."""
    folders = PurePath(image).parts[:-1]
    return "/".join(folders[:2] if folders[:1] == (INCOMING,) else folders[:1]) or "."


def prefix_images(table: pd.DataFrame, folder: str) -> pd.DataFrame:
    """Return a copy of `table` with `folder` prepended to all image paths."""
    return table.assign(image=f"{folder}/" + table["image"])


def cast_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with exactly the columns of the schema and `REPLACES`, in order, and with their types.

    `REPLACES` is empty if it is missing. Raises InputError naming a column that is missing or not numeric.
    """
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(f"annotation table: column {missing[0]!r} is missing; required are {', '.join(COLUMNS)}")
    out = table[COLUMNS].copy()
    for column in TEXT_COLUMNS:
        out[column] = out[column].astype(str)
    for column in ["width", "height"]:
        out[column] = _numbers(out, column).astype("int64")
    for column in [*BOX_COLUMNS, *JOINT_COLUMNS]:
        out[column] = _numbers(out, column).astype("float64")
    out[REPLACES] = table[REPLACES].fillna("").astype(str) if REPLACES in table else ""
    return out.reset_index(drop=True)


def _numbers(table: pd.DataFrame, column: str) -> pd.Series:
    try:
        return pd.to_numeric(table[column])
    except (ValueError, TypeError) as error:
        raise InputError(f"annotation table: column {column!r} contains values that are not numbers") from error


def write(table: pd.DataFrame, path: Path) -> None:
    """Write the table as CSV if the file name ends in .csv, else as Parquet."""
    with atomic_file(path) as temporary:
        if path.suffix == ".csv":
            cast_columns(table).to_csv(temporary, index=False)
        else:
            cast_columns(table).to_parquet(temporary, index=False)


def read(path: Path) -> pd.DataFrame:
    """Read a table written by `write`. Raises InputError naming the file if it is missing or damaged."""
    if not path.is_file():
        raise InputError(f"{path}: no such annotation table")
    try:
        text = dict.fromkeys([*TEXT_COLUMNS, REPLACES], str)
        return cast_columns(pd.read_csv(path, dtype=text) if path.suffix == ".csv" else pd.read_parquet(path))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not a readable annotation table ({error})") from error
