"""Annotated or predicted joints from anyone's CSV: read strictly, and without pandas, so that it starts at once."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from splitpose.errors import InputError
from splitpose.skeleton import JOINTS

MISSING = {"", "nan", "na", "n/a", "null", "none"}
"""What a cell without a value may hold, in any case."""

TOO_LARGE = 2.0**31
"""Above any px; what is infinite is, too."""

NEEDS = "it needs a header with id and joint columns (id,lsho_x,lsho_y,...) and below it one row a person"


@dataclass(frozen=True)
class JointsFile:
    """The people of a file.

    ids: of N people, all different; joints: (N, K, 2) px, NaN where missing; columns: (K,) whether the file has
    columns of each joint; labels: (N,) text of one more column that was asked for.
    """

    path: Path
    ids: list[str]
    joints: np.ndarray
    columns: np.ndarray
    labels: np.ndarray | None = None


@dataclass(frozen=True)
class _Row:
    """Cells of a person by column; lines count from 1, the header's."""

    file: Path
    line: int
    cells: dict[str, str]

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.file}, line {self.line}"


def read(path: Path, label: str | None = None) -> JointsFile:
    """The people of a CSV with `id` and joint columns, px; all but them and the column `label` is ignored.

    Raises InputError, naming file, row and column, where the file cannot be read, has no rows, no ids or an id
    twice, no joints or half of one, or a number that is none or infinite.
    """
    header, rows = _rows(path)
    columns = _joint_columns(path, header)
    if label is not None and label not in header:
        raise InputError(f"{path}: has no column {label!r}; it has {', '.join(header)}")
    lines: dict[str, int] = {}
    for row in rows:
        name = _text(row, "id")
        if name in lines:
            raise InputError(f"{row.where}: id {name!r} stands in line {lines[name]} already; keep one row of it")
        lines[name] = row.line
    joints = np.full((len(rows), len(JOINTS), 2), np.nan)
    for n, row in enumerate(rows):
        for k in np.flatnonzero(columns):
            joints[n, k] = _joint(row, JOINTS[k])
    labels = None if label is None else np.array([_text(row, label) for row in rows])
    return JointsFile(path, list(lines), joints, columns, labels)


def _rows(path: Path) -> tuple[list[str], list[_Row]]:
    """Header and rows; blank lines are passed over."""
    if not path.exists():
        raise InputError(f"{path}: no such file; give a CSV with id and joint columns")
    rows: list[_Row] = []
    header: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # -sig: Excel begins a file with a mark
            reader = csv.reader(file, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            for cells in reader:
                if not cells:
                    continue
                row = _Row(path, reader.line_num, dict(zip(header, map(str.strip, cells), strict=False)))
                if len(cells) != len(header):
                    raise InputError(
                        f"{row.where}: has {len(cells)} cells, the header {len(header)}; give it as many"
                    )
                rows.append(row)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text in UTF-8; save it as CSV in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV ({error}); {NEEDS}") from error
    if not any(header):
        raise InputError(f"{path}: is empty; {NEEDS}")
    if not rows:
        raise InputError(f"{path}: nobody is in it, only a header; {NEEDS}")
    return header, rows


def _joint_columns(path: Path, header: list[str]) -> np.ndarray:
    """(K,) whether the header has columns of each joint."""
    if "id" not in header:
        raise InputError(f"{path}: has no column 'id' in its header {','.join(header)[:60]!r}; {NEEDS}")
    names = {f"{joint}_{axis}" for joint in JOINTS for axis in "xy"} & set(header)
    for column in ("id", *sorted(names)):
        if header.count(column) > 1:
            raise InputError(f"{path}: has two columns {column!r}; keep one of them")
    for column in sorted(names):
        other = column[:-1] + ("y" if column.endswith("x") else "x")
        if other not in names:
            raise InputError(f"{path}: has a column {column!r} but none {other!r}; give both or none")
    if not names:
        raise InputError(f"{path}: has no joint columns; {NEEDS}, any of {', '.join(JOINTS)}")
    return np.array([f"{joint}_x" in names for joint in JOINTS])


def _joint(row: _Row, joint: str) -> tuple[float, float]:
    x, y = (_number(row, f"{joint}_{axis}") for axis in "xy")
    if math.isnan(x) != math.isnan(y):
        empty, filled = (f"{joint}_x", f"{joint}_y") if math.isnan(x) else (f"{joint}_y", f"{joint}_x")
        raise InputError(
            f"{row.where} (id {row.cells['id']!r}): column {empty!r} is empty but {filled!r} is not; "
            "fill both or none"
        )
    return x, y


def _number(row: _Row, column: str) -> float:
    """A number of px, or NaN where the cell is empty."""
    cell = row.cells[column]
    if cell.lower() in MISSING:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = math.inf
    if not abs(value) < TOO_LARGE:
        raise InputError(
            f"{row.where} (id {row.cells['id']!r}): column {column!r} holds {cell[:30]!r}, which is no number of "
            "px; write one, or nothing where the joint is missing"
        )
    return value


def _text(row: _Row, column: str) -> str:
    cell = row.cells[column]
    if cell.lower() in MISSING:
        raise InputError(f"{row.where}: column {column!r} is empty; give every row one")
    return cell
