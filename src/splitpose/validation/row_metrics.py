"""What the rules look at: one row of plain numbers and texts beside each row of the annotation table.

Pure functions. Which value is too large or too small is no matter of this file: limits stand in suites.py.
"""

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, JOINT_COLUMNS, JOINTS_IN_COMMON, joints_of, source_of
from splitpose.skeleton import INDEX, LIMBS, TORSO
from splitpose.validation.image_scan import WANTED, size_text
from splitpose.validation.leakage import frames_apart, near_duplicate_of


def measure(table: pd.DataFrame, looked: pd.DataFrame) -> pd.DataFrame:
    """The annotation table (typed, ids unique) with the columns that the rules look at.

    - picture_problem, picture_size: from `looked`, what `look_at_pictures` gave for this table; size: the same
      text from `width` and `height`.
    - source: see `source_of`.
    - joints_annotated: joints with both coordinates; joints_half: joints with only one.
    - torso: px from left shoulder to right hip; empty without both.
    - outside: px that the joint furthest outside lies beyond the centres of the border pixels; or 0.
    - longest_limb: in torso diameters; empty without a torso or a limb.
    - crossed: how much shorter both upper arms together would be with the elbows' sides swapped, or both sides
      of the body with the hips', in torso diameters; empty without a torso or one of the pairs.
    - uneven: length of the longer upper arm over the other, or of the longer side of the body.
    - box_side: px of the box's shorter side, negative if reversed, 0 if incomplete; empty without.
    - copy_of: id of the row that this one repeats exactly (same picture, same joints).
    - splits_of_picture: how many splits have a person in this row's picture.
    - frames_apart, looks_like: see leaks.py.
    - nearest: mean distance of the joints to those of the most similar other person in the same picture, in
      torso diameters; empty without a person who has enough of the same joints, or without a torso.
    """
    joints = joints_of(table)
    torso = _distance(joints, TORSO)
    sources = table["image"].map(source_of)
    seen = table[WANTED].merge(looked, on=WANTED, how="left").set_index(table.index)
    return table.assign(
        source=sources,
        picture_problem=seen["picture_problem"],
        picture_size=seen["picture_size"],
        size=[size_text(width, height) for width, height in zip(table["width"], table["height"], strict=True)],
        joints_annotated=_annotated(joints).sum(axis=1),
        joints_half=(np.isnan(joints).sum(axis=2) == 1).sum(axis=1),
        torso=torso,
        outside=_outside(joints, table[["width", "height"]].to_numpy(np.float64)),
        longest_limb=_longest_limb(joints, torso),
        crossed=_crossed(joints, torso),
        uneven=_uneven(joints),
        box_side=_box_side(table[BOX_COLUMNS].to_numpy(np.float64)),
        duplicate_of=_copy_of(table),
        splits_of_picture=table.groupby("image")["split"].transform("nunique"),
        frames_apart=frames_apart(table),
        near_duplicate_of=near_duplicate_of(table, sources, seen["fingerprint"]),
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


def _crossed(joints: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """(N,) in torso diameters, negative where the sides fit."""
    gains = [
        _distance(joints, ("lsho", f"l{end}"))
        + _distance(joints, ("rsho", f"r{end}"))
        - _distance(joints, ("lsho", f"r{end}"))
        - _distance(joints, ("rsho", f"l{end}"))
        for end in ("elb", "hip")
    ]
    return np.fmax(*gains) / np.where(torso > 0, torso, np.nan)


def _uneven(joints: np.ndarray) -> np.ndarray:
    """(N,) from 1; infinite where one of the two has no length."""
    pairs = [
        (_distance(joints, ("lsho", f"l{end}")), _distance(joints, ("rsho", f"r{end}"))) for end in ("elb", "hip")
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.fmax(*(np.maximum(left, right) / np.minimum(left, right) for left, right in pairs))


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
        mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count >= JOINTS_IN_COMMON)
        nearest[rows] = np.fmin.reduce(mean)
    return nearest / np.where(torso > 0, torso, np.nan)
