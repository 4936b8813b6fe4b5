"""Bounding boxes of the person instances to predict, from the command line or a CSV."""

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from splitpose.crops.bounding_box import bbox_region, validate_bbox
from splitpose.crops.geometry import CropRegion, full_image_region
from splitpose.errors import InputError, printable
from splitpose.inference.inputs import InputFile

BOX_COLUMNS = ("box_x0", "box_y0", "box_x1", "box_y1")
FORMAT = f"a CSV of boxes requires the columns image, {', '.join(BOX_COLUMNS)} in px; a column id is optional"


@dataclass(frozen=True)
class InstanceBox:
    """A person instance to predict in an image or video.

    bbox: (4,) x0 y0 x1 y1 px, all NaN where a detector found no person. None if there is no box: the image is
    searched for the person, or the person is predicted in the whole image.
    """

    id: str
    bbox: np.ndarray | None = None


@dataclass(frozen=True)
class BoxRow:
    """A row of a CSV of boxes; `id` is None if the file has no such column."""

    line: int
    image: PurePath
    id: str | None
    bbox: np.ndarray


def initial_region(bbox: np.ndarray | None, width: int, height: int, padding: float) -> CropRegion | None:
    """Return the region around a box, or the whole image without one; None if a detector found no person.

    Raises:
        InputError: the box is outside the image.
    """
    if bbox is None:
        return full_image_region(width, height)
    if np.isnan(bbox).all():
        return None
    return bbox_region(bbox, width, height, padding)


def one_instance_per_input(
    inputs: Sequence[InputFile], bbox: np.ndarray | None
) -> dict[InputFile, list[InstanceBox]]:
    """Return one instance for each input, all with the same box or none; its id is the input's name."""
    return {file: [InstanceBox(file.name, bbox)] for file in inputs}


def match_inputs(
    rows: Sequence[BoxRow], inputs: Sequence[InputFile], path: Path
) -> tuple[dict[InputFile, list[InstanceBox]], list[str]]:
    """Match the rows of a CSV of boxes with the inputs.

    A row belongs to the input whose path ends in the row's `image`. An instance's id is the row's; without an id
    column it is the input's name, or NAME@1, NAME@2 ... if the input has several rows.

    Returns:
        The instances of each input, and an error message for each input without rows.

    Raises:
        InputError: a row matches several inputs, an id is not unique, or no row matches any input.
    """
    candidates: Mapping[str, list[InputFile]] = defaultdict(list)
    for file in inputs:
        candidates[printable(file.path.name)].append(file)
    matched: dict[InputFile, list[BoxRow]] = {}
    for row in rows:
        files = [file for file in candidates.get(printable(row.image.name), []) if _ends_with(file.path, row.image)]
        if len(files) > 1:
            raise InputError(
                f"{path}, line {row.line}: image {str(row.image)!r} matches {printable(files[0].path)} and "
                f"{printable(files[1].path)}; "
                "specify more of its path"
            )
        if files:
            matched.setdefault(files[0], []).append(row)
    if rows and inputs and not matched:
        raise InputError(
            f"{path}: no row matches an input; the first image is {str(rows[0].image)!r}, the first input "
            f"{printable(inputs[0].path)}, whose path must end with the image"
        )
    _check_unique_ids([row for file_rows in matched.values() for row in file_rows], path)
    instances = {file: _to_instances(matched[file], file.name) for file in inputs if file in matched}
    return instances, [f"{printable(file.path)}: has no row in {path}" for file in inputs if file not in matched]


def read_boxes(path: Path) -> list[BoxRow]:
    """Read a CSV of boxes; a row without numbers means that the detector found no person.

    Raises:
        InputError: the file, a line or a column is missing or not valid.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; {FORMAT}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # -sig: Excel writes a byte order mark
            reader = csv.DictReader(file, strict=True, skipinitialspace=True)
            header = list(reader.fieldnames or [])
            missing = [column for column in ("image", *BOX_COLUMNS) if column not in header]
            if missing:
                raise InputError(f"{path}: has no column {missing[0]!r}; {FORMAT}")
            rows = [_parse_row(path, reader.line_num, cells) for cells in reader]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text; save it as CSV in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV ({error}); {FORMAT}") from error
    if not rows:
        raise InputError(f"{path}: has no rows, only a header; {FORMAT}")
    return rows


def _parse_row(path: Path, line: int, cells: Mapping[str, str | None]) -> BoxRow:
    where = f"{path}, line {line}"
    image, id = (cells.get("image") or "").strip(), cells.get("id")
    if not image:
        raise InputError(f"{where}: column 'image' is empty; give the path of the image or video")
    if id is not None and not id.strip():
        raise InputError(f"{where}: column 'id' is empty; fill it in every row, or omit the column")
    bbox = np.array([_parse_number(where, column, cells.get(column)) for column in BOX_COLUMNS])
    if not np.isnan(bbox).all():
        try:
            validate_bbox(bbox)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    return BoxRow(line, PurePath(image), id and id.strip(), bbox)


def _parse_number(where: str, column: str, cell: str | None) -> float:
    try:
        return float(cell) if cell and cell.strip() else math.nan
    except ValueError:
        raise InputError(f"{where}: column {column!r} is {cell!r}, not a number of px") from None


def _ends_with(path: Path, image: PurePath) -> bool:
    """Return whether a path ends with an image's, which may be escaped as in the CSV of predictions."""
    parts = PurePath(printable(str(image))).parts
    return Path(printable(path)).parts[-len(parts) :] == parts


def _to_instances(rows: Sequence[BoxRow], name: str) -> list[InstanceBox]:
    several = len(rows) > 1
    return [
        InstanceBox(row.id or (f"{name}@{number}" if several else name), row.bbox)
        for number, row in enumerate(rows, 1)
    ]


def _check_unique_ids(rows: Sequence[BoxRow], path: Path) -> None:
    lines: dict[str, int] = {}
    for row in rows:
        if row.id is not None and row.id in lines:
            raise InputError(f"{path}, line {row.line}: id {row.id!r} is already in line {lines[row.id]}")
        if row.id is not None:
            lines[row.id] = row.line
