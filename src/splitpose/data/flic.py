"""FLIC's archive (examples.mat and images/) read into the annotation table."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.io import loadmat

from splitpose.annotations import BOX_COLUMNS, typed, with_joints
from splitpose.data.reader_result import Reading
from splitpose.errors import InputError
from splitpose.skeleton import observer_centric

ARCHIVES = ("FLIC", "FLIC-full")
"""Names of the folder that the two editions unpack to."""

COORDS_SHAPE = (2, 29)
COORDS_COLUMNS = (0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16)
"""Columns of `coords` that hold the 11 joints, in skeleton order, counted from 0; the others are NaN."""

FIELDS = ("moviename", "coords", "filepath", "imgdims", "currframe", "torsobox", "istrain", "istest")
"""What the reader needs of a row of `examples`."""

LEFT_OUT = {"isbad": "flagged bad", "isunchecked": "unchecked"}
"""Fields that FLIC-full has besides: why a row is in neither split."""

TOO_LARGE = 2**31
"""Above any frame number and any picture's width or height."""


def read(root: Path, viewpoint: Literal["observer", "person"]) -> Reading:
    """The people of the archive that lies unpacked below `root`; `image` is a path below `root`.

    Coordinates stay as the file has them, because published annotations and predictions are in the same px.
    `id` is "<moviename>-<frame>-<row of examples, from 0>", `group` the film. With `viewpoint` "observer" left and
    right are as the observer sees them (see `observer_centric`). Rows in neither split are left out and counted.

    Raises InputError naming the file, and the row (from 0) and field where one is wrong.
    """
    archive = _archive(root)
    path = archive / "examples.mat"
    people, left_out = [], Counter[str]()
    for index, example in enumerate(_examples(path)):
        row = _Row(path, index, example)
        split = _split(row)
        if split is None:
            left_out[_reason(row)] += 1
        else:
            people.append((_fields(row, split, archive.name), _joints(row)))
    if not people:
        raise InputError(f"{path}: istrain and istest are set in no row; unpack the archive again")
    table = pd.DataFrame([fields for fields, _ in people])
    joints = np.stack([joints for _, joints in people])
    if viewpoint == "observer":
        joints = observer_centric(joints)
    return Reading(typed(with_joints(table, joints)), dict(left_out))


def _archive(root: Path) -> Path:
    found = [root / name for name in ARCHIVES if (root / name / "examples.mat").is_file()]
    if not found:
        raise InputError(
            f"{root / ARCHIVES[0] / 'examples.mat'}: no such file; unpack FLIC.zip or FLIC-full.zip in {root}"
        )
    if len(found) > 1:
        raise InputError(f"{root}: holds FLIC and FLIC-full; keep the one that is meant")
    return found[0]


def _examples(path: Path) -> np.ndarray:
    """The struct array `examples` as (N,) records."""
    try:
        content = loadmat(path)
    # What a damaged file raises depends on the damage: ValueError, TypeError, OSError, zlib.error and more.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: not a readable MATLAB file ({reason}); unpack the archive again") from error
    examples = content.get("examples")
    if not isinstance(examples, np.ndarray) or examples.dtype.names is None:
        raise InputError(f"{path}: holds no struct array 'examples'; is it FLIC's file?")
    missing = [field for field in FIELDS if field not in examples.dtype.names]
    if missing:
        raise InputError(f"{path}: examples has no field {missing[0]!r}; it needs {', '.join(FIELDS)}")
    if examples.size == 0:
        raise InputError(f"{path}: examples has no rows; unpack the archive again")
    return examples.ravel()


@dataclass(frozen=True)
class _Row:
    """A record of `examples`, whose fields come as what they must be; if one is not, the error says where."""

    path: Path
    index: int
    example: np.void

    def error(self, field: str, problem: str) -> InputError:
        return InputError(f"{self.path}: row {self.index}, {field}: {problem}")

    def text(self, field: str) -> str:
        value = np.asarray(self._out_of_cells(field))
        if value.size != 1 or value.dtype.kind != "U" or not value.item().strip() or not value.item().isprintable():
            raise self.error(field, "text is wanted")
        return str(value.item())

    def numbers(self, field: str, *shapes: tuple[int, int]) -> np.ndarray:
        """float64 of one of the shapes; NaN and infinity pass."""
        value = np.asarray(self._out_of_cells(field))
        if value.dtype.kind not in "biuf":
            raise self.error(field, "numbers are wanted")
        if value.shape not in shapes:
            wanted = " or ".join("x".join(map(str, shape)) for shape in shapes)
            raise self.error(field, f"shape {wanted} is wanted, found {'x'.join(map(str, value.shape))}")
        return value.astype(np.float64)

    def finite(self, field: str, *shapes: tuple[int, int]) -> np.ndarray:
        value = self.numbers(field, *shapes)
        if not np.isfinite(value).all():
            raise self.error(field, "a finite number is wanted")
        return value

    def whole(self, field: str, least: int, *shapes: tuple[int, int]) -> list[int]:
        value = self.finite(field, *shapes).ravel()
        if (value != np.round(value)).any() or value.min() < least or value.max() >= TOO_LARGE:
            raise self.error(field, f"whole numbers from {least} are wanted, found {value.tolist()}")
        return [int(number) for number in value]

    def flag(self, field: str) -> bool:
        value = self.finite(field, (1, 1)).item()
        if value not in (0, 1):
            raise self.error(field, f"0 or 1 is wanted, found {value:g}")
        return value == 1

    def _out_of_cells(self, field: str) -> Any:
        """A field's value; MATLAB users wrap one in cells of 1x1 easily."""
        value = self.example[field]
        while isinstance(value, np.ndarray) and value.dtype == object and value.size == 1:
            value = value.item()
        return value


def _split(row: _Row) -> str | None:
    is_train, is_test = row.flag("istrain"), row.flag("istest")
    if is_train and is_test:
        raise row.error("istrain and istest", "both are set; a row belongs to one split")
    return "train" if is_train else "test" if is_test else None


def _reason(row: _Row) -> str:
    """Why a row is in neither split, as far as the file says: it need not have or fill these fields."""
    fields = row.example.dtype.names or ()
    reasons = [reason for field, reason in LEFT_OUT.items() if field in fields and np.any(row.example[field])]
    return " and ".join(reasons) or "in neither split"


def _fields(row: _Row, split: str, archive: str) -> dict[str, object]:
    """All columns of the table except the joints'."""
    film = row.text("moviename")
    (frame,) = row.whole("currframe", 0, (1, 1))
    height, width, *_ = row.whole("imgdims", 1, (1, 3), (1, 2))
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
    """(K, 2) px."""
    return row.numbers("coords", COORDS_SHAPE)[:, COORDS_COLUMNS].T
