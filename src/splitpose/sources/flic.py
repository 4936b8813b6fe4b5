"""FLIC's archive (examples.mat and images/) read into the annotation table (facts.md, FLIC itself)."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.io import loadmat

from splitpose.annotations import BOX_COLUMNS, typed, with_joints
from splitpose.errors import InputError
from splitpose.skeleton import observer_centric

ARCHIVES = ("FLIC", "FLIC-full")
"""Names of the folder that the two editions unpack to."""

COORDS_SHAPE = (2, 29)
COORDS_COLUMNS = (0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16)
"""Columns of `coords` that hold the 11 joints, in skeleton order, counted from 0; the others are NaN."""

FIELDS = ("moviename", "coords", "filepath", "imgdims", "currframe", "torsobox", "istrain", "istest")
"""What the reader needs of a row of `examples`."""


def read(root: Path, viewpoint: Literal["observer", "person"]) -> pd.DataFrame:
    """The annotation table of the archive that lies unpacked below `root`.

    Coordinates stay as MATLAB gave them. `id` is "<moviename>-<frame>-<row of examples, from 0>", `group` the
    film. With `viewpoint` "observer" left and right are as the observer sees them (see `observer_centric`).
    Rows that are in neither split (FLIC-full flags bad and unchecked ones so) are left out.

    Raises InputError naming the file, and the row and field where one is wrong.
    """
    archive = _archive(root)
    path = archive / "examples.mat"
    rows = [_row(path, index, example) for index, example in enumerate(_examples(path))]
    rows = [(fields, joints) for fields, joints in rows if fields["split"]]
    if not rows:
        raise InputError(f"{path}: istrain and istest are set in no row; unpack the archive again")
    table = pd.DataFrame([fields for fields, _ in rows])
    table["image"] = f"{archive.name}/images/" + table["image"]
    joints = np.stack([joints for _, joints in rows])
    return typed(with_joints(table, observer_centric(joints) if viewpoint == "observer" else joints))


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


def _row(path: Path, index: int, example: Any) -> tuple[dict[str, object], np.ndarray]:
    """One record as the table's fields and its joints, (K, 2) in px."""

    def numbers(field: str, *shapes: tuple[int, ...]) -> np.ndarray:
        try:
            value = np.asarray(example[field], np.float64)
        except (ValueError, TypeError) as error:
            raise InputError(f"{path}: row {index}, {field}: numbers are wanted") from error
        if value.shape not in shapes:
            wanted = " or ".join("x".join(map(str, shape)) for shape in shapes)
            found = "x".join(map(str, value.shape))
            raise InputError(f"{path}: row {index}, {field}: shape {wanted} is wanted, found {found}")
        return value

    def finite(field: str, *shapes: tuple[int, ...]) -> np.ndarray:
        value = numbers(field, *shapes)
        if not np.isfinite(value).all():
            raise InputError(f"{path}: row {index}, {field}: a finite number is wanted")
        return value

    def text(field: str) -> str:
        value = np.asarray(example[field])
        if value.size != 1 or value.dtype.kind != "U":
            raise InputError(f"{path}: row {index}, {field}: text is wanted")
        return str(value.item())

    coords = numbers("coords", COORDS_SHAPE)[:, COORDS_COLUMNS].T
    height, width = finite("imgdims", (1, 3), (1, 2)).ravel()[:2]
    frame = int(finite("currframe", (1, 1)).item())
    is_train, is_test = (bool(finite(field, (1, 1)).item()) for field in ("istrain", "istest"))
    if is_train and is_test:
        raise InputError(f"{path}: row {index}, istrain and istest: both are set; a row belongs to one split")
    film = text("moviename")
    fields: dict[str, object] = {
        "id": f"{film}-{frame:08d}-{index}",
        "image": text("filepath"),
        "width": width,
        "height": height,
        "split": "train" if is_train else "test" if is_test else "",
        "group": film,
        **dict(zip(BOX_COLUMNS, numbers("torsobox", (1, 4)).ravel(), strict=True)),
    }
    return fields, coords
