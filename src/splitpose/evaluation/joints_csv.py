"""Strict reader for CSV files of annotated or predicted joints, without pandas for a fast start."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from splitpose.errors import InputError
from splitpose.skeleton import JOINTS

MISSING = {"", "nan", "na", "n/a", "null", "none"}
"""Spellings of an empty cell, in upper or lower case."""

TOO_LARGE = 2.0**31
"""px; larger than any image. Infinity is rejected with it."""

REQUIRED_FORMAT = "use a header with id and joint columns (id,lsho_x,lsho_y,...) and one row per person"


@dataclass(frozen=True)
class JointsCsv:
    """The rows of a CSV file of joints.

    ids: N unique ids; joints: (N, K, 2) px, NaN where missing; columns: (K,) bool, whether the file has columns
    for each joint; labels: (N,) text of an additional column.
    """

    path: Path
    ids: list[str]
    joints: np.ndarray
    columns: np.ndarray
    labels: np.ndarray | None = None


@dataclass(frozen=True)
class _Row:
    """Cells of a row by column; line 1 is the header."""

    file: Path
    line: int
    cells: dict[str, str]

    @property
    def where(self) -> str:
        """The file and line, for error messages."""
        return f"{self.file}, line {self.line}"


def read(path: Path, label: str | None = None) -> JointsCsv:
    """Read a CSV with `id` and joint columns, px; columns other than these and `label` are ignored.

    Raises:
        InputError: the file cannot be read or has no rows, an id is missing or repeated, there are no joint columns
            or only one of x and y, or a cell is not a finite number; names file, line and column.
    """
    header, rows = _rows(path)
    columns = _joint_columns(path, header)
    if label is not None and label not in header:
        raise InputError(f"{path}: has no column {label!r}; it has {', '.join(header)}")
    lines: dict[str, int] = {}
    for row in rows:
        name = _text(row, "id")
        if name in lines:
            raise InputError(f"{row.where}: id {name!r} is already in line {lines[name]}; remove one of the rows")
        lines[name] = row.line
    joints = np.full((len(rows), len(JOINTS), 2), np.nan)
    for n, row in enumerate(rows):
        for k in np.flatnonzero(columns):
            joints[n, k] = _joint(row, JOINTS[k])
    labels = None if label is None else np.array([_text(row, label) for row in rows])
    return JointsCsv(path, list(lines), joints, columns, labels)


def _rows(path: Path) -> tuple[list[str], list[_Row]]:
    """Read the header and the rows; blank lines are skipped."""
    if not path.exists():
        raise InputError(f"{path}: no such file; use a CSV with id and joint columns")
    rows: list[_Row] = []
    header: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # -sig: Excel writes a byte order mark
            reader = csv.reader(file, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            for cells in reader:
                if not cells:
                    continue
                row = _Row(path, reader.line_num, dict(zip(header, map(str.strip, cells), strict=False)))
                if len(cells) != len(header):
                    raise InputError(
                        f"{row.where}: has {len(cells)} cells, the header {len(header)}; make them equal"
                    )
                rows.append(row)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text; save it as CSV in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV ({error}); {REQUIRED_FORMAT}") from error
    if not any(header):
        raise InputError(f"{path}: is empty; {REQUIRED_FORMAT}")
    if not rows:
        raise InputError(f"{path}: has a header but no rows; {REQUIRED_FORMAT}")
    return header, rows


def _joint_columns(path: Path, header: list[str]) -> np.ndarray:
    """Return whether the header has columns for each joint: (K,) bool."""
    if "id" not in header:
        raise InputError(f"{path}: has no column 'id' in its header {','.join(header)[:60]!r}; {REQUIRED_FORMAT}")
    names = {f"{joint}_{axis}" for joint in JOINTS for axis in "xy"} & set(header)
    for column in ("id", *sorted(names)):
        if header.count(column) > 1:
            raise InputError(f"{path}: has two columns {column!r}; keep one of them")
    for column in sorted(names):
        other = column[:-1] + ("y" if column.endswith("x") else "x")
        if other not in names:
            raise InputError(f"{path}: has a column {column!r} but no column {other!r}; add or remove one of them")
    if not names:
        raise InputError(f"{path}: has no joint columns; {REQUIRED_FORMAT}, any of {', '.join(JOINTS)}")
    return np.array([f"{joint}_x" in names for joint in JOINTS])


def _joint(row: _Row, joint: str) -> tuple[float, float]:
    x, y = (_number(row, f"{joint}_{axis}") for axis in "xy")
    if math.isnan(x) != math.isnan(y):
        empty, filled = (f"{joint}_x", f"{joint}_y") if math.isnan(x) else (f"{joint}_y", f"{joint}_x")
        raise InputError(
            f"{row.where} (id {row.cells['id']!r}): column {empty!r} is empty but {filled!r} is not; "
            "fill or clear both"
        )
    return x, y


def _number(row: _Row, column: str) -> float:
    """Return the number of px in a cell, NaN if it is empty."""
    cell = row.cells[column]
    if cell.lower() in MISSING:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = math.inf
    if not abs(value) < TOO_LARGE:
        raise InputError(
            f"{row.where} (id {row.cells['id']!r}): column {column!r} holds {cell[:30]!r}, which is not a "
            "number of px; correct it, or clear the cell if the joint is missing"
        )
    return value


def _text(row: _Row, column: str) -> str:
    cell = row.cells[column]
    if cell.lower() in MISSING:
        raise InputError(f"{row.where}: column {column!r} is empty; fill it in every row")
    return cell
