"""Reader of joints in Parquet, the format of the annotation table, with the checks of the CSV reader."""

import math
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError, one_line
from splitpose.evaluation.joints_csv import REQUIRED_FORMAT, JointsCsv, Row, from_rows

FORMAT = "Parquet table"

_DEFAULT_NAMES = JointNames()


def read(path: Path, label: str | None = None, joint_names: JointNames = _DEFAULT_NAMES) -> JointsCsv:
    """Read a Parquet table with the columns that `joints_csv.read` reads.

    Raises:
        InputError: the file cannot be read, or has a fault that `joints_csv.read` names; rows count from 1.
    """
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: not a readable Parquet file ({one_line(error)}); write it again") from error
    header = [str(name) for name in table.column_names]
    if not table.num_rows:
        raise InputError(f"{path}: has a header but no rows; {REQUIRED_FORMAT}")
    cells = zip(*([_text(value) for value in column.to_pylist()] for column in table.columns), strict=True)
    rows = [Row(path, f"row {n}", dict(zip(header, row, strict=True))) for n, row in enumerate(cells, start=1)]
    return from_rows(path, header, rows, label, joint_names, lambda _: FORMAT)


def _text(value: Any) -> str:
    is_missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if is_missing else str(value).strip()
