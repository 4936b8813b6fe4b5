"""Strict reader for CSV files of annotated or predicted joints, without pandas for a fast start.

The files of spreadsheets are read, too: separated by semicolons or tabs, with decimal commas, in UTF-16 or
Windows-1252.
"""

import csv
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError, some_of
from splitpose.evaluation.csv_text import SEPARATORS, CsvText, read_csv_text
from splitpose.evaluation.decimal_commas import has_decimal_commas
from splitpose.evaluation.file_content import detect_content
from splitpose.skeleton import FULL_NAMES, JOINTS

MISSING = {"", "nan", "na", "n/a", "null", "none", "#n/a", "#nv", "<na>", "-"}
"""Spellings of an empty cell, in upper or lower case."""

TOO_LARGE = 2.0**31
"""px; larger than any image. Infinity is rejected with it."""

REQUIRED_FORMAT = (
    "use a header with id and joint columns (id,lsho_x,lsho_y,...), separated by commas, semicolons or tabs, and "
    "one row per person"
)

BOX = ("box_x0", "box_y0", "box_x1", "box_y1")
TEXTS = ("image", "image_id", "frame")

_DEFAULT_NAMES = JointNames()
_COORDINATE = re.compile(r"(.+?)([xy])", re.IGNORECASE)
_CONFIDENCE = re.compile(r"(.+)confidence", re.IGNORECASE)


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
    format: str = "CSV"
    """Name of the detected format, for the user."""
    boxes: np.ndarray | None = None
    """(N, 4) x0, y0, x1, y1 in px, NaN where missing; None without these columns."""
    confidence: np.ndarray | None = None
    """(N,) mean confidence of each row's joints, NaN where missing; None without columns of confidences."""
    texts: Mapping[str, list[str]] = field(default_factory=dict)
    """Cells of those of the columns `image`, `image_id` and `frame` that the file has; empty where missing."""
    notes: tuple[str, ...] = ()
    """Remarks for the user, one line each."""


@dataclass(frozen=True)
class Row:
    """Cells of a row by column; `place` is for error messages, such as "line 2" (line 1 is the header)."""

    file: Path
    place: str
    cells: dict[str, str]

    @property
    def where(self) -> str:
        """The file and line, for error messages."""
        return f"{self.file}, {self.place}"


@dataclass(frozen=True)
class _Columns:
    """The columns of a header that are read: their names in the file, by the names that our own files have."""

    names: dict[str, str]

    @property
    def joints(self) -> np.ndarray:
        """Whether there are columns for each joint: (K,) bool."""
        return np.array([f"{joint}_x" in self.names for joint in JOINTS])

    @property
    def has_box(self) -> bool:
        """Whether there are all columns of a box."""
        return all(column in self.names for column in BOX)

    @property
    def confidences(self) -> list[str]:
        """The columns of confidences."""
        return [column for column in self.names if column.endswith("_confidence")]

    @property
    def numbers(self) -> list[str]:
        """Names in the file of all columns of numbers."""
        return [name for column, name in self.names.items() if column not in ("id", *TEXTS)]


def read(path: Path, label: str | None = None, joint_names: JointNames = _DEFAULT_NAMES) -> JointsCsv:
    """Read a CSV with `id` and joint columns, px; other columns are ignored, except the optional ones.

    Joint columns have the joint's name in any spelling of `joint_names`, and x or y: lsho_x, left_shoulder_x,
    LeftShoulder_X. Optional columns are those of the box, `image`, `image_id`, `frame`, <joint>_confidence, and
    `label`.

    Raises:
        InputError: the file cannot be read or has no rows, an id is missing or repeated, there are no joint columns
            or only one of x and y, a cell is not a finite number, or the decimal marks are ambiguous; names file,
            line and column.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; use a CSV with id and joint columns")
    if (content := detect_content(path)) != "text":
        raise InputError(f"{path}: is {content.upper()}, not CSV; save it as CSV")
    text = read_csv_text(path, REQUIRED_FORMAT)
    header, rows = _rows(path, text)
    return from_rows(path, header, rows, label, joint_names, lambda commas: _describe(text, commas))


def from_rows(
    path: Path,
    header: Sequence[str],
    rows: Sequence[Row],
    label: str | None,
    joint_names: JointNames,
    describe: Callable[[bool], str],
) -> JointsCsv:
    """Return the joints of rows of text.

    Args:
        path: the file, for errors.
        header: names of the columns.
        rows: at least one row.
        label: name of an additional column.
        joint_names: mapping of the joints' names in the header.
        describe: returns the name of the format, given whether the numbers have decimal commas.

    Raises:
        InputError: see `read`.
    """
    columns = _find_columns(path, header, joint_names)
    if label is not None and label not in header:
        raise InputError(f"{path}: has no column {label!r}; it has {', '.join(header)}")
    commas = _has_decimal_commas(path, rows, columns.numbers)
    ids = _unique_ids(rows, columns.names["id"])
    reader = _NumberReader(columns.names, commas)
    joints = np.full((len(rows), len(JOINTS), 2), np.nan)
    for n, row in enumerate(rows):
        for k in np.flatnonzero(columns.joints):
            joints[n, k] = reader.joint(row, JOINTS[k])
    return JointsCsv(
        path,
        ids,
        joints,
        columns.joints,
        None if label is None else np.array([_text(row, label) for row in rows]),
        describe(commas),
        np.array([[reader.number(row, column) for column in BOX] for row in rows]) if columns.has_box else None,
        _mean_confidence(rows, columns, reader),
        {
            name: [_optional_text(row, columns.names[name]) for row in rows]
            for name in TEXTS
            if name in columns.names
        },
        _notes(header, columns),
    )


@dataclass(frozen=True)
class _NumberReader:
    """Reads numbers of px."""

    names: Mapping[str, str]
    """Names of the columns in the file."""
    commas: bool
    """Whether the numbers have decimal commas."""

    def joint(self, row: Row, joint: str) -> tuple[float, float]:
        """Return x and y of a joint, NaN if both cells are empty."""
        x, y = (self.number(row, f"{joint}_{axis}") for axis in "xy")
        if math.isnan(x) != math.isnan(y):
            names = self.names[f"{joint}_x"], self.names[f"{joint}_y"]
            empty, filled = names if math.isnan(x) else names[::-1]
            raise InputError(
                f"{row.where} (id {_id(row, self.names)!r}): column {empty!r} is empty but {filled!r} is not; "
                "fill or clear both"
            )
        return x, y

    def number(self, row: Row, column: str) -> float:
        """Return the number in a cell, NaN if it is empty."""
        cell = row.cells[self.names[column]]
        if cell.lower() in MISSING:
            return math.nan
        try:
            value = float(cell.replace(",", ".") if self.commas else cell)
        except ValueError:
            value = math.inf
        if not abs(value) < TOO_LARGE:
            raise InputError(
                f"{row.where} (id {_id(row, self.names)!r}): column {self.names[column]!r} holds {cell[:30]!r}, "
                "which is not a number of px; correct it, or clear the cell if the joint is missing"
            )
        return value


def _rows(path: Path, text: CsvText) -> tuple[list[str], list[Row]]:
    """Return the header and the rows; blank lines and rows of empty cells are skipped."""
    rows: list[Row] = []
    header: list[str] = []
    try:
        for line, cells in text.rows():
            if not header:
                header = [cell.strip() for cell in cells]
            elif len(cells) > 1 and not any(map(str.strip, cells)):
                continue  # Excel writes such rows where cells were cleared.
            elif cells:
                row = Row(path, f"line {line}", dict(zip(header, map(str.strip, cells), strict=False)))
                if len(cells) != len(header):
                    raise InputError(
                        f"{row.where}: has {len(cells)} cells, the header {len(header)}; "
                        f"{_remedy(header, cells, text.separator)}"
                    )
                rows.append(row)
    except csv.Error as error:
        raise InputError(f"{path}: not a readable CSV ({error}); {REQUIRED_FORMAT}") from error
    if not any(header):
        raise InputError(f"{path}: is empty; {REQUIRED_FORMAT}")
    if not rows:
        raise InputError(f"{path}: has a header but no rows; {REQUIRED_FORMAT}")
    return header, rows


def _remedy(header: Sequence[str], cells: Sequence[str], separator: str) -> str:
    """Return what to do about a row whose number of cells differs from the header's."""
    for other, name in SEPARATORS.items():
        if other != separator and sum(cell.count(other) for cell in cells) >= len(header) - 1 > 0:
            return f"the header is separated by {SEPARATORS[separator]}, this row by {name}: use one of them"
    if separator == "," and len(cells) > len(header):
        return "make them equal; if the numbers have decimal commas, separate the columns by semicolons"
    return "make them equal"


def _find_columns(path: Path, header: Sequence[str], joint_names: JointNames) -> _Columns:
    """Return the columns that are read."""
    id_column = next((name for name in header if name == "id"), None)
    id_column = id_column or next((name for name in header if name.lower() == "id"), None)
    if id_column is None:
        raise InputError(f"{path}: has no column 'id' in its header {','.join(header)[:60]!r}; {REQUIRED_FORMAT}")
    _check_single(path, header, id_column)
    names = {"id": id_column}
    joint_columns = [(column, name) for name in header if (column := _joint_column(name, joint_names))]
    for column, name in sorted(joint_columns):
        _check_single(path, header, name)
        if column in names:
            raise InputError(
                f"{path}: columns {names[column]!r} and {name!r} both mean the {FULL_NAMES[column[:-2]]}; "
                "keep one of them"
            )
        names[column] = name
    for column, name in sorted(joint_columns):
        other = column[:-1] + ("y" if column.endswith("x") else "x")
        if other not in names:
            missing = name[:-1] + (other[-1] if name[-1].islower() else other[-1].upper())
            raise InputError(f"{path}: has a column {name!r} but no column {missing!r}; add or remove one of them")
    if not joint_columns:
        raise InputError(f"{path}: has no joint columns; {REQUIRED_FORMAT}, any of {', '.join(JOINTS)}")
    confidences = {column: name for name in header if (column := _confidence_column(name, joint_names))}
    others = {name: name for name in (*BOX, *TEXTS) if name in header}
    return _Columns(names | confidences | others)


def _check_single(path: Path, header: Sequence[str], name: str) -> None:
    if header.count(name) > 1:
        raise InputError(f"{path}: has two columns {name!r}; keep one of them")


def _joint_column(name: str, joint_names: JointNames) -> str | None:
    """Return the name in our own files, such as "lsho_x", of a column of joints, None for other columns."""
    match = _COORDINATE.fullmatch(name)
    joint = match and _joint(match[1], joint_names)
    return f"{joint}_{match[2].lower()}" if match and joint else None


def _confidence_column(name: str, joint_names: JointNames) -> str | None:
    match = _CONFIDENCE.fullmatch(name)
    joint = match and _joint(match[1], joint_names)
    return f"{joint}_confidence" if joint else None


def _joint(name: str, joint_names: JointNames) -> str | None:
    """Return the joint of a name that may end in a separator; a joint map has names without it."""
    return joint_names.joint(name.rstrip(" _.:-")) or joint_names.joint(name)


def _has_decimal_commas(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> bool:
    if not any("," in row.cells[name] for row in rows for name in columns):
        return False
    places = [(f"{row.place}: column {name!r}", row.cells[name]) for row in rows for name in columns]
    return has_decimal_commas(path, places)


def _unique_ids(rows: Sequence[Row], column: str) -> list[str]:
    # Programs differ in whether they write an accented letter as one or two characters.
    places: dict[str, str] = {}
    for row in rows:
        name = unicodedata.normalize("NFC", _text(row, column))
        if name in places:
            raise InputError(f"{row.where}: id {name!r} is already in {places[name]}; remove one of the rows")
        places[name] = row.place
    return list(places)


def _mean_confidence(rows: Sequence[Row], columns: _Columns, reader: _NumberReader) -> np.ndarray | None:
    """Return the mean of each row's confidences: (N,), NaN where all are empty; None without such columns."""
    if not columns.confidences:
        return None
    values = np.array([[reader.number(row, column) for column in columns.confidences] for row in rows])
    counts = np.isfinite(values).sum(axis=1)
    mean: np.ndarray = np.where(counts > 0, np.nansum(values, axis=1) / np.maximum(counts, 1), np.nan)
    return mean


def _notes(header: Sequence[str], columns: _Columns) -> tuple[str, ...]:
    """Return a remark about columns whose name is nearly that of a joint."""
    known = {name.replace(" ", "_"): joint for joint, name in FULL_NAMES.items()} | {
        joint: joint for joint in JOINTS
    }
    similar = []
    for name in header:
        match = _COORDINATE.fullmatch(name)
        if not match or name in columns.names.values():
            continue
        spelling = match[1].strip(" _.:-").lower()
        if close := get_close_matches(spelling, known, n=1, cutoff=0.85):
            similar.append(f"{name} (is it {close[0]}_{match[2].lower()}?)")
    return (f"columns that are no joint: {some_of(similar)}",) if similar else ()


def _describe(text: CsvText, commas: bool) -> str:
    """Return the name of a CSV's format, such as "CSV with semicolons and decimal commas, UTF-16"."""
    parts = [SEPARATORS[text.separator]] if text.separator != "," else []
    parts += ["decimal commas"] if commas else []
    encoding = f", {text.encoding}" if text.encoding != "UTF-8" else ""
    return f"CSV{' with ' if parts else ''}{' and '.join(parts)}{encoding}"


def _id(row: Row, names: Mapping[str, str]) -> str:
    return row.cells[names["id"]]


def _text(row: Row, column: str) -> str:
    cell = row.cells[column]
    if cell.lower() in MISSING:
        raise InputError(f"{row.where}: column {column!r} is empty; fill it in every row")
    return cell


def _optional_text(row: Row, column: str) -> str:
    cell = row.cells[column]
    return "" if cell.lower() in MISSING else cell
