"""What the rules look at: one row of plain numbers and texts beside each row of the annotation table.

Pure functions, except for `look_at_pictures`, which reads files. Which value is too large or too small
is no matter of this file: limits stand in suites.py.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from splitpose import pictures
from splitpose.annotations import BOX_COLUMNS, JOINT_COLUMNS, joints_of
from splitpose.progress import track
from splitpose.skeleton import INDEX, LIMBS, TORSO


def look_at_pictures(images: Iterable[str], root: Path) -> pd.DataFrame:
    """Decode every picture once, in threads, with a progress bar.

    Returns a frame with the paths as index and two text columns: `picture_problem` (empty if it can be read)
    and `picture_size` ("720x480": width x height in px; empty if it can not). Headers alone would be quicker,
    but would not show a file that was cut short.
    """
    paths = sorted(set(images))
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda image: _look(image, root), paths)
        rows = list(track(found, "looking at pictures", len(paths), "pictures"))
    return pd.DataFrame(rows, index=paths, columns=["picture_problem", "picture_size"], dtype=object)


def _look(image: str, root: Path) -> tuple[str | None, str | None]:
    """The problem of one picture, or its size."""
    if PurePath(image).is_absolute() or ".." in PurePath(image).parts:
        return "path leads out of the folder of pictures", None
    try:
        data = (root / image).read_bytes()
    except OSError as error:
        return str(error.strerror), None
    picture = pictures.decode(data, grey=True)
    if picture is None:
        return "no picture, damaged or cut short", None
    height, width = picture.shape
    return None, _size(width, height)


def _size(width: int, height: int) -> str:
    return f"{width}x{height}"


def measure(table: pd.DataFrame, pictures: pd.DataFrame) -> pd.DataFrame:
    """The annotation table (typed, ids unique) with the columns that the rules look at.

    - picture_problem, picture_size: from `look_at_pictures`; size: the same text from `width` and `height`.
    - joints_annotated: joints with both coordinates; joints_half: joints with only one.
    - torso: px from left shoulder to right hip; empty without both.
    - outside: px that the joint furthest outside lies beyond the centres of the border pixels; or 0.
    - longest_limb: in torso diameters; empty without a torso or a limb.
    - box_side: px of the box's shorter side, negative if reversed, 0 if incomplete; empty without.
    - copy_of: id of the row that this one repeats exactly (same picture, same joints).
    - splits_of_picture: how many splits have a person in this row's picture.
    - nearest: mean distance of the joints to those of the most similar other person in the same picture, in
      torso diameters; empty without such a person or without a torso.
    """
    joints = joints_of(table)
    torso = _distance(joints, TORSO)
    return table.join(pictures, on="image").assign(
        size=[_size(width, height) for width, height in zip(table["width"], table["height"], strict=True)],
        joints_annotated=_annotated(joints).sum(axis=1),
        joints_half=(np.isnan(joints).sum(axis=2) == 1).sum(axis=1),
        torso=torso,
        outside=_outside(joints, table[["width", "height"]].to_numpy(np.float64)),
        longest_limb=_longest_limb(joints, torso),
        box_side=_box_side(table[BOX_COLUMNS].to_numpy(np.float64)),
        copy_of=_copy_of(table),
        splits_of_picture=table.groupby("image")["split"].transform("nunique"),
        nearest=_nearest(table["image"], joints, torso),
    )


def _annotated(joints: np.ndarray) -> np.ndarray:
    """(N, K) bool."""
    return ~np.isnan(joints).any(axis=-1)


def _distance(joints: np.ndarray, pair: tuple[str, str]) -> np.ndarray:
    """(N,) px between two joints, NaN where one is not annotated."""
    return np.linalg.norm(joints[:, INDEX[pair[0]]] - joints[:, INDEX[pair[1]]], axis=-1)


def _outside(joints: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(N,) px beyond [0, size - 1], from joints (N, K, 2) and sizes (N, 2)."""
    beyond = np.maximum(-joints, joints - (sizes[:, None] - 1))
    return np.nan_to_num(beyond, nan=0.0, posinf=np.inf).max(axis=(1, 2), initial=0.0)


def _longest_limb(joints: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """(N,) in torso diameters; NaN for a torso of 0 px too, where a ratio means nothing."""
    lengths = np.stack([_distance(joints, limb) for limb in LIMBS])
    return np.fmax.reduce(lengths) / np.where(torso > 0, torso, np.nan)


def _box_side(boxes: np.ndarray) -> np.ndarray:
    """(N,) px from boxes (N, 4)."""
    side = (boxes[:, 2:] - boxes[:, :2]).min(axis=1)
    empty = np.isnan(boxes)
    return np.where(empty.any(axis=1) & ~empty.all(axis=1), 0.0, side)


def _copy_of(table: pd.DataFrame) -> pd.Series:
    """Id of the row that stays, for each row that repeats it.

    Of equal rows one in test stays, then one in val: no training row then equals one that is scored.
    """
    ordered = table.sort_values(
        "split", key=lambda split: split.map({"test": 0, "val": 1, "train": 2}), kind="stable"
    )
    stays = ordered.groupby(["image", *JOINT_COLUMNS], dropna=False, sort=False)["id"].transform("first")
    return stays.astype(object).where(stays != ordered["id"], None).reindex(table.index)


def _nearest(images: pd.Series, joints: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """(N,) mean joint distance to the most similar other person in the picture, in own torso diameters."""
    nearest = np.full(len(joints), np.nan)
    for rows in images.groupby(images).indices.values():
        people = joints[rows]
        both = _annotated(people)[:, None] & _annotated(people)[None]
        with np.errstate(invalid="ignore"):  # infinite coordinates are found by `outside`
            distances = np.linalg.norm(people[:, None] - people[None], axis=-1)
        total = np.where(both, distances, 0.0).sum(axis=-1)
        count = both.sum(axis=-1)
        np.fill_diagonal(count, 0)  # nobody is compared with himself
        mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
        nearest[rows] = np.fmin.reduce(mean)
    return nearest / np.where(torso > 0, torso, np.nan)
