"""Corrected people: rows of a later source that replace those of the same person in an earlier one.

An image is the same if its file has the same content, whatever its name. Later rows of an image get the split and
the group of the row that they replace, and added people those of the image, so that no image moves from training to
test.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, REPLACES, joints_of
from splitpose.errors import InputError, one_line
from splitpose.skeleton import FLIP_INDICES, INDEX, TORSO

MAX_DISTANCE = 0.6
"""Mean joint distance, in torso diameters, up to which two rows of an image may be the same person.

In FLIC, different people are at least this far apart. A correction that moves both wrists by a torso diameter and
both elbows by half of it is 0.27 away.
"""

MIN_COMMON_JOINTS = 3
"""Joints that both rows must have annotated; with fewer, the boxes are compared."""

MIN_OVERLAP = 0.5
"""Intersection over union of two boxes above which they may be those of the same person."""


@dataclass(frozen=True)
class Replacements:
    """All sources as one table without the replaced rows."""

    table: pd.DataFrame
    """Annotation table; the column `replaces` is the id of the row that was replaced, empty for other rows."""
    replaced: dict[str, str]
    """Id of the row that remains for a person, by the id of each replaced row."""

    @property
    def count(self) -> int:
        """Number of replaced rows."""
        return len(self.replaced)


def replace_people(tables: Sequence[pd.DataFrame], root: Path) -> Replacements:
    """Concatenate the tables of all sources and drop the rows of people that a later source annotates again.

    The people of an image are matched by their mean joint distance, also with left and right swapped, the closest
    ones first and each once. Earlier people without a match remain.

    Args:
        tables: annotation tables, the earliest first; people of one table never replace each other.
        root: folder that `image` is relative to.

    Raises:
        InputError: An image cannot be read.
    """
    table = pd.concat(tables, ignore_index=True)
    sources = np.repeat(np.arange(len(tables)), [len(rows) for rows in tables])
    replaces, origins = np.full(len(table), -1), np.arange(len(table))
    for rows in _rows_of_shared_images(table["image"], sources, root):
        replaces[rows] = _match_sources(table.iloc[rows], sources[rows], rows)
        for row in rows[sources[rows] > sources[rows[0]]]:
            origins[row] = origins[replaces[row]] if replaces[row] >= 0 else rows[0]
    table = table.assign(**{column: table[column].to_numpy(object)[origins] for column in ("split", "group")})
    ids = table["id"].to_numpy(object)
    is_replacing = replaces >= 0
    table[REPLACES] = np.where(is_replacing, ids[replaces], "")
    successors = dict(zip(replaces[is_replacing].tolist(), np.flatnonzero(is_replacing).tolist(), strict=True))
    replaced = {str(ids[row]): str(ids[_last(row, successors)]) for row in sorted(successors)}
    return Replacements(table.drop(index=list(successors)).reset_index(drop=True), replaced)


def _last(row: int, successors: dict[int, int]) -> int:
    while row in successors:
        row = successors[row]
    return row


def _rows_of_shared_images(images: pd.Series, sources: np.ndarray, root: Path) -> list[np.ndarray]:
    """Return the row numbers, in order, of each image content that several sources have."""
    by_image = {str(image): rows for image, rows in images.groupby(images).indices.items()}
    shared = []
    for same in _equal_files(by_image, root):
        rows = np.sort(np.concatenate([by_image[image] for image in same]))
        if len(np.unique(sources[rows])) > 1:
            shared.append(rows)
    return shared


def _equal_files(images: Iterable[str], root: Path) -> list[list[str]]:
    """Return groups of images with the same content, without those that are missing or outside `root`.

    Only files of the same size are read.
    """
    by_size = defaultdict[int, list[str]](list)
    for image in images:
        if not PurePath(image).is_absolute() and ".." not in PurePath(image).parts:
            try:
                by_size[(root / image).stat().st_size].append(image)
            except OSError:  # a missing image, which validation reports
                continue
    by_content = defaultdict[str, list[str]](list)
    for same_size in by_size.values():
        for image in same_size:
            by_content[_digest(root / image) if len(same_size) > 1 else image].append(image)
    return list(by_content.values())


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: {one_line(error)}; check the permissions of the file") from error


def _match_sources(people: pd.DataFrame, sources: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return for each person of an image (N,) the row number of the earlier one that it replaces, -1 for none."""
    replaces = np.full(len(people), -1)
    distances = _distances(people)
    current = np.array([], int)
    for source in np.unique(sources):
        later = np.flatnonzero(sources == source)
        pairs = _closest_pairs(distances[np.ix_(later, current)])
        for k, j in pairs:
            replaces[later[k]] = rows[current[j]]
        current = np.concatenate([np.delete(current, [j for _, j in pairs]), later])
    return replaces


def _closest_pairs(distances: np.ndarray) -> list[tuple[int, int]]:
    """Return pairs of indices at a finite distance, the closest first, each index in one pair at most."""
    pairs, remaining = [], distances.copy()
    while remaining.size and np.isfinite(remaining).any():
        k, j = np.unravel_index(remaining.argmin(), remaining.shape)
        pairs.append((int(k), int(j)))
        remaining[k], remaining[:, j] = np.inf, np.inf
    return pairs


def _distances(people: pd.DataFrame) -> np.ndarray:
    """Return the distance (N, N) of people relative to the largest one of the same person, infinite beyond it."""
    joints, boxes = joints_of(people), people[BOX_COLUMNS].to_numpy(np.float64)
    torso = np.linalg.norm(joints[:, INDEX[TORSO[0]]] - joints[:, INDEX[TORSO[1]]], axis=-1)
    torso = np.fmax(torso[:, None], torso[None])  # known if either row has it
    distances = np.fmin(_mean_distances(joints, joints), _mean_distances(joints, joints[:, FLIP_INDICES]))
    with np.errstate(divide="ignore", invalid="ignore"):
        by_joints = distances / torso / MAX_DISTANCE
    by_boxes = (1 - _overlaps(np.where(np.isnan(boxes), _extents(joints), boxes))) / (1 - MIN_OVERLAP)
    distances = np.where(np.isfinite(by_joints), by_joints, by_boxes)
    return np.where(distances <= 1, distances, np.inf)


def _mean_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the mean distance (N, M) in px over the common joints, NaN where these are too few."""
    distances = np.linalg.norm(first[:, None] - second[None], axis=-1)
    common = np.isfinite(distances)
    sums, counts = np.where(common, distances, 0.0).sum(axis=-1), common.sum(axis=-1)
    means: np.ndarray = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts >= MIN_COMMON_JOINTS)
    return means


def _extents(joints: np.ndarray) -> np.ndarray:
    """Return x0, y0, x1, y1 (N, 4) of the joints, infinite without any."""
    lowest = np.nan_to_num(joints, nan=np.inf).min(axis=1)
    highest = np.nan_to_num(joints, nan=-np.inf).max(axis=1)
    return np.concatenate([lowest, highest], axis=1)


def _overlaps(boxes: np.ndarray) -> np.ndarray:
    """Return the intersection over union (N, N) of boxes (N, 4) in px, 0 without an area."""
    sides = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    intersections = np.clip(sides, 0, None).prod(axis=-1)
    areas = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=-1)
    unions = areas[:, None] + areas[None] - intersections
    overlaps: np.ndarray = np.zeros_like(unions)
    np.divide(intersections, unions, out=overlaps, where=unions > 0)
    return overlaps
