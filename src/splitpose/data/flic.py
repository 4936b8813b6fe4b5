"""Reader of FLIC's archive, which contains examples.mat and images/."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.io import loadmat

from splitpose.annotations import BOX_COLUMNS, cast_columns, with_joints
from splitpose.data.reader_result import ReaderResult
from splitpose.errors import InputError
from splitpose.skeleton import observer_centric

EXAMPLES = "examples.mat"
"""File name of the annotations."""

EDITIONS = ("FLIC", "FLIC-full")
"""Folders that the archives of the two editions unpack to."""

COORDS_SHAPE = (2, 29)
COORDS_COLUMNS = (0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16)
"""Zero-based columns of `coords` with the 11 joints, in skeleton order; the others are NaN."""

FIELDS = ("moviename", "coords", "filepath", "imgdims", "currframe", "torsobox", "istrain", "istest")
"""Fields of `examples` that the reader requires."""

SKIP_REASONS = {"isbad": "flagged bad", "isunchecked": "unchecked"}
"""Optional fields (of FLIC-full) that explain why a row is in neither split."""

INTEGER_LIMIT = 2**31
"""Exclusive upper bound of frame numbers and image sizes."""


def read(root: Path, viewpoint: Literal["observer", "person"]) -> ReaderResult:
    """Read the archive that is unpacked in `root`; `image` is a path below `root`.

    Coordinates are not converted, because published annotations and predictions use the same pixels. `id` is
    "<moviename>-<frame>-<zero-based row of examples>", `group` the film. With the viewpoint "observer", left and
    right are converted to the observer's (see `observer_centric`). Rows in neither split are skipped and counted.

    Raises InputError naming the file, and the zero-based row and field if one is invalid.
    """
    archive = _archive(root)
    path = archive / EXAMPLES
    instances, skipped = [], Counter[str]()
    for index, example in enumerate(_examples(path)):
        row = _Row(path, index, example)
        split = _split(row)
        if split is None:
            skipped[_skip_reason(row)] += 1
        else:
            instances.append((_fields(row, split, archive.name), _joints(row)))
    if not instances:
        raise InputError(f"{path}: istrain and istest are 0 in all rows; unpack the archive again")
    table = pd.DataFrame([fields for fields, _ in instances])
    joints = np.stack([joints for _, joints in instances])
    if viewpoint == "observer":
        joints = observer_centric(joints)
    return ReaderResult(cast_columns(with_joints(table, joints)), dict(skipped))


def _archive(root: Path) -> Path:
    """Return the folder of the edition that is unpacked in `root`."""
    archives = [root / edition for edition in EDITIONS if (root / edition / EXAMPLES).is_file()]
    if not archives:
        missing = root / EDITIONS[0] / EXAMPLES
        raise InputError(f"{missing}: no such file; unpack FLIC.zip or FLIC-full.zip in {root}")
    if len(archives) > 1:
        raise InputError(f"{root}: contains FLIC and FLIC-full; keep only one of them")
    return archives[0]


def _examples(path: Path) -> np.ndarray:
    """Return the struct array `examples` as (N,) records."""
    try:
        content = loadmat(path)
    # The exception depends on how the file is damaged: ValueError, TypeError, OSError, zlib.error and more.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: not a readable MATLAB file ({reason}); unpack the archive again") from error
    examples = content.get("examples")
    if not isinstance(examples, np.ndarray) or examples.dtype.names is None:
        raise InputError(f"{path}: contains no struct array 'examples'; use FLIC's examples.mat")
    missing = [field for field in FIELDS if field not in examples.dtype.names]
    if missing:
        raise InputError(f"{path}: examples has no field {missing[0]!r}; required are {', '.join(FIELDS)}")
    if examples.size == 0:
        raise InputError(f"{path}: examples has no rows; unpack the archive again")
    return examples.ravel()


@dataclass(frozen=True)
class _Row:
    """A record of `examples` with type-checked access to its fields."""

    path: Path
    index: int
    example: np.void

    def error(self, field: str, problem: str) -> InputError:
        return InputError(f"{self.path}: row {self.index}, {field}: {problem}")

    def text(self, field: str) -> str:
        value = np.asarray(self._unwrap(field))
        if value.size != 1 or value.dtype.kind != "U" or not value.item().strip() or not value.item().isprintable():
            raise self.error(field, "expected text")
        return str(value.item())

    def numbers(self, field: str, *shapes: tuple[int, int]) -> np.ndarray:
        """Return float64 numbers of one of the shapes; NaN and infinity are allowed."""
        value = np.asarray(self._unwrap(field))
        if value.dtype.kind not in "biuf":
            raise self.error(field, "expected numbers")
        if value.shape not in shapes:
            expected = " or ".join("x".join(map(str, shape)) for shape in shapes)
            raise self.error(field, f"expected shape {expected}, found {'x'.join(map(str, value.shape))}")
        return value.astype(np.float64)

    def finite(self, field: str, *shapes: tuple[int, int]) -> np.ndarray:
        value = self.numbers(field, *shapes)
        if not np.isfinite(value).all():
            raise self.error(field, "expected finite numbers")
        return value

    def integers(self, field: str, minimum: int, *shapes: tuple[int, int]) -> list[int]:
        value = self.finite(field, *shapes).ravel()
        if (value != np.round(value)).any() or value.min() < minimum or value.max() >= INTEGER_LIMIT:
            raise self.error(field, f"expected integers of at least {minimum}, found {value.tolist()}")
        return [int(number) for number in value]

    def flag(self, field: str) -> bool:
        value = self.finite(field, (1, 1)).item()
        if value not in (0, 1):
            raise self.error(field, f"expected 0 or 1, found {value:g}")
        return bool(value)

    def _unwrap(self, field: str) -> Any:
        """Return a field's value without the 1x1 cells in which MATLAB code often wraps it."""
        value = self.example[field]
        while isinstance(value, np.ndarray) and value.dtype == object and value.size == 1:
            value = value.item()
        return value


def _split(row: _Row) -> str | None:
    is_train, is_test = row.flag("istrain"), row.flag("istest")
    if is_train and is_test:
        raise row.error("istrain and istest", "both are 1; a row belongs to one split")
    return "train" if is_train else "test" if is_test else None


def _skip_reason(row: _Row) -> str:
    """Return why a row is in neither split, if the optional fields record it."""
    fields = row.example.dtype.names or ()
    reasons = [reason for field, reason in SKIP_REASONS.items() if field in fields and np.any(row.example[field])]
    return " and ".join(reasons) or "in neither split"


def _fields(row: _Row, split: str, archive: str) -> dict[str, object]:
    """Return all columns of the annotation table except those of the joints."""
    film = row.text("moviename")
    (frame,) = row.integers("currframe", 0, (1, 1))
    height, width, *_ = row.integers("imgdims", 1, (1, 3), (1, 2))
    return {
        "id": f"{film}-{frame:08d}-{row.index}",
        "image": f"{archive}/images/{row.text('filepath')}",
        "width": width,
        "height": height,
        "split": split,
        "group": film,
        **dict(zip(BOX_COLUMNS, row.finite("torsobox", (1, 4)).ravel(), strict=True)),
    }


def _joints(row: _Row) -> np.ndarray:
    """Return joints (K, 2) in px."""
    return row.numbers("coords", COORDS_SHAPE)[:, COORDS_COLUMNS].T
