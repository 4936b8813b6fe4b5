"""The annotation table: one row a person, one picture of truth between all stages.

`image` is a path below the data root, the folder `data`: it and `id` say which source a row came from.
Pixel centres are at integers; x runs right and y down; a joint that is not annotated is NaN.
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

INCOMING = "incoming"
"""Folder of the data root whose subfolders are deliveries, each a source of its own."""

ONE_PERSON = 0.3
"""Mean distance of joints, in torso diameters, below which two rows of a picture are one person, annotated twice.

In FLIC two annotations of one person are at most 0.2 apart, different people at least 0.6.
"""

JOINTS_IN_COMMON = 5
"""Joints that both of these rows must have: in a crowd, fewer are near each other by chance."""


def joints_of(table: pd.DataFrame) -> np.ndarray:
    """Joints of every row as (N, K, 2) float64 in px, NaN where not annotated."""
    return table[JOINT_COLUMNS].to_numpy(np.float64).reshape(len(table), len(JOINTS), 2)


def with_joints(table: pd.DataFrame, joints: np.ndarray) -> pd.DataFrame:
    """A copy of `table` whose joint columns hold `joints`, (N, K, 2) in px."""
    flat = pd.DataFrame(joints.reshape(len(table), -1), columns=JOINT_COLUMNS, index=table.index)
    return pd.concat([table.drop(columns=JOINT_COLUMNS, errors="ignore"), flat], axis=1)


def source_of(image: str) -> str:
    """The source of a row, from its picture's path: "raw", "incoming/monday", or "incoming" without a folder."""
    folders = PurePath(image).parts[:-1]
    return "/".join(folders[:2] if folders[:1] == (INCOMING,) else folders[:1]) or "."


def below(table: pd.DataFrame, folder: str) -> pd.DataFrame:
    """A copy of `table` whose pictures lie in `folder` of the data root."""
    return table.assign(image=f"{folder}/" + table["image"])


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with exactly the contract's columns, in order, and their types.

    Raises InputError naming a column that is missing or holds something that is no number.
    """
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(f"annotation table: column {missing[0]!r} is missing; it needs {', '.join(COLUMNS)}")
    out = table[COLUMNS].copy()
    for column in TEXT_COLUMNS:
        out[column] = out[column].astype(str)
    for column in ["width", "height"]:
        out[column] = _numbers(out, column).astype("int64")
    for column in [*BOX_COLUMNS, *JOINT_COLUMNS]:
        out[column] = _numbers(out, column).astype("float64")
    return out.reset_index(drop=True)


def _numbers(table: pd.DataFrame, column: str) -> pd.Series:
    try:
        return pd.to_numeric(table[column])
    except (ValueError, TypeError) as error:
        raise InputError(f"annotation table: column {column!r} holds something that is no number") from error


def write(table: pd.DataFrame, path: Path) -> None:
    """Write the table as Parquet, or as CSV where the name ends so."""
    with atomic_file(path) as beside:
        if path.suffix == ".csv":
            typed(table).to_csv(beside, index=False)
        else:
            typed(table).to_parquet(beside, index=False)


def read(path: Path) -> pd.DataFrame:
    """Read a table written by `write`. Raises InputError naming the file if it is missing or damaged."""
    if not path.is_file():
        raise InputError(f"{path}: no such annotation table; run the stage that writes it")
    try:
        table = pd.read_csv(path, dtype={c: str for c in TEXT_COLUMNS}) if path.suffix == ".csv" else None
        return typed(pd.read_parquet(path) if table is None else table)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not a readable annotation table ({error})") from error
