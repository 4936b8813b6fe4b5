"""Who is looked at: the people of a picture or video, each in a box or, without one, the whole picture."""

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from splitpose.crops.bounding_box import bbox_region, validate_bbox
from splitpose.crops.geometry import CropRegion, full_image_region
from splitpose.errors import InputError
from splitpose.inference.inputs import Input

COLUMNS = ("box_x0", "box_y0", "box_x1", "box_y1")
NEEDS = f"a CSV of boxes needs the columns image, {', '.join(COLUMNS)}, px, and may have id"


@dataclass(frozen=True)
class Person:
    """Somebody in a picture or video.

    box: (4,) x0 y0 x1 y1 px, all NaN where a detector found nobody; None looks at the whole picture.
    """

    id: str
    box: np.ndarray | None = None


@dataclass(frozen=True)
class Row:
    """A line of a CSV of boxes; `id` is None where the file has no such column."""

    line: int
    image: PurePath
    id: str | None
    box: np.ndarray


def square(box: np.ndarray | None, width: int, height: int, margin: float) -> CropRegion | None:
    """The square of a person in a picture of this size: around the box, or the whole picture.

    None where a detector found nobody. Raises InputError where the box lies outside the picture.
    """
    if box is None:
        return full_image_region(width, height)
    if np.isnan(box).all():
        return None
    return bbox_region(box, width, height, margin)


def everyone(inputs: Sequence[Input], box: np.ndarray | None) -> dict[Input, list[Person]]:
    """One person in each input, all in the same box or in the whole picture, whose id is the input's name."""
    return {each: [Person(each.name, box)] for each in inputs}


def instances_of(
    rows: Sequence[Row], inputs: Sequence[Input], path: Path
) -> tuple[dict[Input, list[Person]], list[str]]:
    """The people whom a CSV names, by input, and a line for each input that it does not name.

    A row is of the input whose path ends in the row's `image`. An id is the row's own; without such a column it is
    the input's name, and with more than one row of an input NAME@1, NAME@2 ...

    Raises InputError where a row is of several inputs, an id stands twice, or no row is of any input.
    """
    by_file_name: Mapping[str, list[Input]] = defaultdict(list)
    for each in inputs:
        by_file_name[each.path.name].append(each)
    named: dict[Input, list[Row]] = {}
    for row in rows:
        fitting = [each for each in by_file_name.get(row.image.name, []) if _ends_in(each.path, row.image)]
        if len(fitting) > 1:
            raise InputError(
                f"{path}, line {row.line}: image {str(row.image)!r} may be {fitting[0].path} or {fitting[1].path}; "
                "give more of its path"
            )
        if fitting:
            named.setdefault(fitting[0], []).append(row)
    if rows and inputs and not named:
        raise InputError(
            f"{path}: no image in it is an input; the first is {str(rows[0].image)!r}, the first input "
            f"{inputs[0].path}, whose path must end in its image"
        )
    _check_ids([row for of_input in named.values() for row in of_input], path)
    people = {each: _named(named[each], each.name) for each in inputs if each in named}
    return people, [f"{each.path}: {path} has no row of it" for each in inputs if each not in named]


def read(path: Path) -> list[Row]:
    """The rows of a CSV with image and box columns; a box without any number says that nobody was found.

    Raises InputError naming file, line and column of what is missing or no box.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; {NEEDS}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # -sig: Excel begins a file with a mark
            reader = csv.DictReader(file, strict=True, skipinitialspace=True)
            header = list(reader.fieldnames or [])
            missing = [column for column in ("image", *COLUMNS) if column not in header]
            if missing:
                raise InputError(f"{path}: has no column {missing[0]!r}; {NEEDS}")
            rows = [_row(path, reader.line_num, cells) for cells in reader]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text in UTF-8; save it as CSV in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV ({error}); {NEEDS}") from error
    if not rows:
        raise InputError(f"{path}: has no rows, only a header; {NEEDS}")
    return rows


def _row(path: Path, line: int, cells: Mapping[str, str | None]) -> Row:
    where = f"{path}, line {line}"
    image, name = (cells.get("image") or "").strip(), cells.get("id")
    if not image:
        raise InputError(f"{where}: column 'image' is empty; give the path of the picture or video")
    if name is not None and not name.strip():
        raise InputError(f"{where}: column 'id' is empty; give every row one, or leave the column out")
    box = np.array([_number(where, column, cells.get(column)) for column in COLUMNS])
    if not np.isnan(box).all():
        try:
            validate_bbox(box)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    return Row(line, PurePath(image), name and name.strip(), box)


def _number(where: str, column: str, cell: str | None) -> float:
    try:
        return float(cell) if cell and cell.strip() else math.nan
    except ValueError:
        raise InputError(f"{where}: column {column!r} holds {cell!r}, which is no number of px") from None


def _ends_in(path: Path, image: PurePath) -> bool:
    parts = image.parts
    return path.parts[-len(parts) :] == parts


def _named(rows: Sequence[Row], name: str) -> list[Person]:
    several = len(rows) > 1
    return [Person(row.id or (f"{name}@{n}" if several else name), row.box) for n, row in enumerate(rows, 1)]


def _check_ids(rows: Sequence[Row], path: Path) -> None:
    lines: dict[str, int] = {}
    for row in rows:
        if row.id is not None and row.id in lines:
            raise InputError(f"{path}, line {row.line}: id {row.id!r} stands in line {lines[row.id]} already")
        if row.id is not None:
            lines[row.id] = row.line
