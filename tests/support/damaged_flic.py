"""Ways to damage FLIC's archive, each with the expected outcome.

INVALID_FIELDS   the reader raises, naming file, row and field
INVALID_FILES    the reader raises, naming the file
QUARANTINED      the reader accepts the row; validation quarantines it by the rules
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.io import savemat
from scipy.sparse import csc_array
from support.flic_archive import POSE, Row, coords_of, row, save, valid_rows
from support.flic_archive import struct as struct_array

from splitpose.skeleton import INDEX

NUMBERS, FINITE, TEXT = "expected numbers", "expected finite numbers", "expected text"


def numbers(*values: float) -> np.ndarray:
    return np.array([values], np.float64)


def cells(*values: object) -> np.ndarray:
    array = np.empty((1, len(values)), object)
    array[0] = values
    return array


INVALID_FIELDS: list[tuple[str, Any, str]] = [
    ("moviename", numbers(7), TEXT),
    ("moviename", "", TEXT),
    ("moviename", " ", TEXT),
    ("moviename", np.array(["film-1", "film-2"]), TEXT),
    ("filepath", numbers(7), TEXT),
    ("filepath", "", TEXT),
    ("filepath", "film-1\x1b.jpg", TEXT),
    ("filepath", "film-1\n.jpg", TEXT),
    ("filepath", cells("film-1.jpg", "film-2.jpg"), TEXT),
    ("coords", coords_of(POSE)[:, :28], "expected shape 2x29, found 2x28"),
    ("coords", coords_of(POSE).T, "expected shape 2x29, found 29x2"),
    ("coords", POSE.T, "expected shape 2x29, found 2x11"),
    ("coords", np.zeros((0, 0)), "expected shape 2x29, found 0x0"),
    ("coords", "a line of text", NUMBERS),
    ("coords", coords_of(POSE) + 1j, NUMBERS),
    ("coords", cells(coords_of(POSE), coords_of(POSE)), NUMBERS),
    ("coords", csc_array(POSE.T), NUMBERS),
    ("coords", {"x": POSE[:, 0], "y": POSE[:, 1]}, NUMBERS),
    ("imgdims", np.zeros((0, 0)), "expected shape 1x3 or 1x2, found 0x0"),
    ("imgdims", numbers(480), "expected shape 1x3 or 1x2, found 1x1"),
    ("imgdims", numbers(np.nan, 720, 3), FINITE),
    ("imgdims", numbers(0, 0, 3), "expected integers of at least 1"),
    ("imgdims", numbers(-480, 720, 3), "expected integers of at least 1"),
    ("imgdims", numbers(480.5, 720, 3), "expected integers of at least 1"),
    ("imgdims", numbers(1e300, 720, 3), "expected integers of at least 1"),
    ("imgdims", "80x100", NUMBERS),
    ("currframe", np.zeros((0, 0)), "expected shape 1x1, found 0x0"),
    ("currframe", numbers(np.nan), FINITE),
    ("currframe", numbers(np.inf), FINITE),
    ("currframe", numbers(-1), "expected integers of at least 0"),
    ("currframe", numbers(1.5), "expected integers of at least 0"),
    ("currframe", numbers(1e300), "expected integers of at least 0"),
    ("currframe", "123", NUMBERS),
    ("torsobox", np.zeros((0, 0)), "expected shape 1x4, found 0x0"),
    ("torsobox", numbers(10, 20), "expected shape 1x4, found 1x2"),
    ("torsobox", numbers(10, 20, 30, 40).T, "expected shape 1x4, found 4x1"),
    ("torsobox", numbers(10, 20, np.nan, 40), FINITE),
    ("torsobox", numbers(10, 20, np.inf, 40), FINITE),
    ("torsobox", "left", NUMBERS),
    ("istrain", np.zeros((0, 0)), "expected shape 1x1, found 0x0"),
    ("istrain", numbers(np.nan), FINITE),
    ("istrain", numbers(2), "expected 0 or 1, found 2"),
    ("istrain", numbers(-1), "expected 0 or 1, found -1"),
    ("istrain", "yes", NUMBERS),
    ("istest", np.zeros((0, 0)), "expected shape 1x1, found 0x0"),
    ("istest", numbers(-np.inf), FINITE),
]
"""Field, its value in one row, and the expected error."""


FileChange = Callable[[Path], None]
"""Damages examples.mat of a valid archive."""


def _save_rows(rows: list[Row]) -> FileChange:
    def change(mat: Path) -> None:
        save(mat.parents[1], *rows)

    return change


def _save_variables(**variables: object) -> FileChange:
    return lambda mat: savemat(mat, variables)


def _write(content: bytes) -> FileChange:
    def change(mat: Path) -> None:
        mat.write_bytes(content)

    return change


def _keep(share: float) -> FileChange:
    def change(mat: Path) -> None:
        content = mat.read_bytes()
        mat.write_bytes(content[: int(share * len(content))])

    return change


def _without(field: str) -> FileChange:
    return _save_rows([{name: value for name, value in fields.items() if name != field} for fields in valid_rows()])


def _replace_by_folder(mat: Path) -> None:
    mat.unlink()
    mat.mkdir()


MATLAB_7_3 = (
    b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x0200) + b"IM" + bytes(384) + b"\x89HDF\r\n\x1a\n"
)
NOT_READABLE = "not a readable MATLAB file"

INVALID_FILES: list[tuple[str, FileChange, str]] = [
    ("missing", lambda mat: mat.unlink(), "no such file; unpack"),
    ("directory in place of the file", _replace_by_folder, "no such file; unpack"),
    ("empty file", _write(b""), NOT_READABLE),
    ("text file", _write(b"moviename,coords\nfilm-1,12\n" * 50), NOT_READABLE),
    ("web page", _write(b"<!DOCTYPE html><html><head><title>Download</title></head></html>" * 20), NOT_READABLE),
    ("random bytes", _write(np.random.default_rng(0).bytes(5000)), NOT_READABLE),
    ("MATLAB 7.3", _write(MATLAB_7_3), NOT_READABLE),
    *((f"cut to {share}", _keep(share), NOT_READABLE) for share in (0.02, 0.3, 0.6, 0.95)),
    ("no examples", _save_variables(other=np.zeros(3)), "contains no struct array 'examples'"),
    ("examples are numbers", _save_variables(examples=np.zeros((2, 29))), "contains no struct array 'examples'"),
    ("examples are cells", _save_variables(examples=cells(1, 2)), "contains no struct array 'examples'"),
    ("no rows", _save_variables(examples=struct_array(valid_rows())[:, :0]), "examples has no rows"),
    (
        "no split",
        _save_rows([fields | {"istrain": numbers(0), "istest": numbers(0)} for fields in valid_rows()]),
        "are 0 in all rows",
    ),
    *((f"no {field}", _without(field), f"no field '{field}'") for field in row() if field != "poselet_hit_idx"),
]
"""Name, damage to examples.mat of a valid archive, and the expected error."""


Change = Callable[[list[Row], int, Path], None]
"""Damages one of the rows, or its image in the folder."""


def _set(**fields: object) -> Change:
    return lambda rows, number, images: rows[number].update(fields)


def _joint(name: str, x: float, y: float) -> Change:
    def change(rows: list[Row], number: int, images: Path) -> None:
        joints = POSE.copy()
        joints[INDEX[name]] = x, y
        rows[number]["coords"] = coords_of(joints)

    return change


def _long_limb(rows: list[Row], number: int, images: Path) -> None:
    """Set a pose with a torso of 10 px and a lower arm of 94 px."""
    joints = POSE / 4
    joints[INDEX["lwri"]] = 90, 70
    rows[number]["coords"] = coords_of(joints)


def _duplicate(rows: list[Row], number: int, images: Path) -> None:
    rows[number].update({field: rows[number - 1][field] for field in ("filepath", "coords")})


def _image(content: bytes | None) -> Change:
    """Replace the content of the row's image file; None removes the file."""

    def change(rows: list[Row], number: int, images: Path) -> None:
        path = images / rows[number]["filepath"]
        path.unlink() if content is None else path.write_bytes(content)

    return change


def _truncate_image(rows: list[Row], number: int, images: Path) -> None:
    path = images / rows[number]["filepath"]
    path.write_bytes(path.read_bytes()[:200])


def _image_of_size(width: int, height: int) -> Change:
    def change(rows: list[Row], number: int, images: Path) -> None:
        cv2.imwrite(str(images / rows[number]["filepath"]), np.zeros((height, width, 3), np.uint8))

    return change


QUARANTINED: list[tuple[str, Change, set[str]]] = [
    ("absolute path", _set(filepath="/etc/hostname"), {"unreadable_image"}),
    ("path that leads out", _set(filepath="../examples.mat"), {"unreadable_image"}),
    ("path that leads out and back", _set(filepath="../images/film-0-00000000.jpg"), {"unreadable_image"}),
    ("path with backslashes", _set(filepath="images\\film-0-00000000.jpg"), {"unreadable_image"}),
    ("path of the folder", _set(filepath="."), {"unreadable_image"}),
    ("endless path", _set(filepath="a" * 5000), {"unreadable_image"}),
    ("missing image", _image(None), {"unreadable_image"}),
    ("empty image", _image(b""), {"unreadable_image"}),
    ("text as image", _image(b"not found"), {"unreadable_image"}),
    ("truncated image", _truncate_image, {"unreadable_image"}),
    ("image of another size", _image_of_size(720, 480), {"image_size"}),
    ("imgdims the wrong way round", _set(imgdims=numbers(100, 80, 3)), {"image_size"}),
    ("imgdims far too large", _set(imgdims=numbers(2**31 - 1, 2**31 - 1, 3)), {"image_size"}),
    ("no joints", _set(coords=np.full((2, 29), np.nan)), {"no_joints"}),
    ("half a joint", _joint("nose", 50, np.nan), {"incomplete_joint"}),
    ("torso of 0 px", _joint("rhip", 60, 30), {"short_torso"}),
    ("joint outside", _joint("lwri", 120, 58), {"joint_outside_image"}),
    ("joint left of the image", _joint("rwri", -20, 58), {"joint_outside_image"}),
    ("infinite joint", _joint("lwri", np.inf, 58), {"joint_outside_image", "long_limb"}),
    ("joint at minus infinity", _joint("nose", 50, -np.inf), {"joint_outside_image", "long_limb"}),
    ("huge joint", _joint("lwri", 1e300, 58), {"joint_outside_image", "long_limb"}),
    ("limb too long", _long_limb, {"long_limb"}),
    ("box reversed", _set(torsobox=numbers(62, 28, 38, 68)), {"invalid_bbox"}),
    ("duplicate of another row", _duplicate, {"duplicate"}),
]
"""Name, damage, and the rules that the row breaks."""
