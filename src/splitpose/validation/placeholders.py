"""Detection of coordinates that were written in place of a missing joint.

Annotation tools and exports write a fixed position, such as 0, 0 or the centre of the image, where no joint was
set.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import poisson

from splitpose.annotations import joints_of
from splitpose.skeleton import FULL_NAMES, INDEX, JOINTS, PAIRS
from splitpose.validation.coordinate_faults import rows_by_file
from splitpose.validation.coordinate_fit import extents, inside_box, people_of

HEAD = ("nose", "leye", "reye")

MIN_ROWS = 5
"""Rows of a file that must share a position of a joint; a corner of the image is suspicious in a single row."""
MIN_FRACTION, SUFFICIENT_ROWS, MIN_FRACTION_OF_MANY = 0.03, 50, 0.01
"""Part of the rows of a file that must share a position; from `SUFFICIENT_ROWS` on, a smaller part suffices."""
NEIGHBOURHOODS = (2, 10)
"""Half the sides, px, of the squares around a position in which other joints are counted."""
MIN_EXCESS, MAX_CHANCE = 10, 1e-3
"""Ratio of the joints at a position to those expected from its neighbourhood, and number of positions of the file
that may have as many by chance: integer coordinates coincide in large files and in small images."""
MIN_CORNER_ROWS = 3
"""Rows of a file with a joint in the corner of the image from which on it is certainly a placeholder."""
MIN_CORNER_FRACTION = 0.2
"""Part of the rows of a file with a joint in the corner from which on it need not be apart from the person: images
that are cropped to a person have joints in their corners, too."""
MIN_GAP = 0.3
"""Distance of a joint from the rectangle around the others, in its longer side, from which on it is apart."""
MAX_DISTANCE = 1.5
"""Distance from a person's other joints, in their extent, beyond which a joint cannot belong to them."""
MIN_IMAGE_SIDE = 20
"""Side of an image, px, below which its corner is not suspicious."""


def identical_joints(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return errors and warnings, as text or None, about joints of a person with the same coordinates.

    It is an error if at least half of the joints, and at least three, are at one point; a warning if three joints
    are, where eyes and nose count as one, or if left and right are equal in all annotated pairs and there are two.
    """
    errors, warnings = _empty(table), _empty(table)
    joints = joints_of(table)
    annotated = np.isfinite(joints).all(axis=-1)
    equal = (joints[:, :, None] == joints[:, None]).all(axis=-1) & annotated[:, :, None] & annotated[:, None]
    together = equal.sum(axis=-1)  # (N, K), joints at the position of each joint, with itself
    most = together.max(axis=1, initial=0)
    count = annotated.sum(axis=1)
    parts = np.where(np.isin(JOINTS, HEAD), JOINTS.index(HEAD[0]), np.arange(len(JOINTS)))
    for row in np.flatnonzero(most >= 3).tolist():
        if len(np.unique(parts[equal[row, together[row].argmax()]])) < 3:
            continue  # the eyes and the nose of a small person are one px
        point = joints[row, together[row].argmax()]
        text = f"{most[row]} of {count[row]} joints are at {point[0]:g}, {point[1]:g}"
        (errors if 2 * most[row] >= count[row] else warnings).iloc[row] = text
    pairs = np.array([[INDEX[left], INDEX[right]] for left, right in PAIRS])
    both = annotated[:, pairs].all(axis=-1)
    same = equal[:, pairs[:, 0], pairs[:, 1]]
    for row in np.flatnonzero((both.sum(axis=1) >= 2) & (same == both).all(axis=1)).tolist():
        if errors.iloc[row] is None:
            warnings.iloc[row] = f"left and right are equal in all {both[row].sum()} pairs"
    return errors, warnings


def placeholders(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return errors and warnings, as text or None, about positions that recur in a file, or corners of the image.

    It is an error if the position recurs and is far from the person's box, or without a box from the other joints.
    """
    errors, warnings = _empty(table), _empty(table)
    for _, rows in rows_by_file(table):
        part = table.iloc[rows]
        found = list(_recurring(part))
        if not found:
            continue
        suspicious = np.unique([row for row, *_ in found])
        far = dict(zip(suspicious.tolist(), _is_far(part.iloc[suspicious]), strict=True))
        for row, joint, text, recurs in found:
            listing = errors if recurs and far[row][joint] else warnings
            if listing.iloc[rows[row]] is None:
                listing.iloc[rows[row]] = text
    return errors, warnings.where(errors.isna(), None)


def _empty(table: pd.DataFrame) -> pd.Series:
    return pd.Series([None] * len(table), index=table.index, dtype=object)


def _is_far(table: pd.DataFrame) -> np.ndarray:
    """Return (N, K) whether each joint is far from the box, or without a box from the other joints."""
    people = people_of(table)
    far = np.zeros(people.joints.shape[:2], bool)
    has_box = np.isfinite(people.boxes).all(axis=(1, 2))
    for k in range(people.joints.shape[1]):
        single = people.joints.copy()
        single[:, np.arange(single.shape[1]) != k] = np.nan
        others = people.joints.copy()
        others[:, k] = np.nan
        rectangle = extents(others)
        side = (rectangle[:, 1] - rectangle[:, 0]).max(axis=1)
        distance = np.linalg.norm(people.joints[:, k] - rectangle.mean(axis=1), axis=1)
        enough = np.isfinite(others).all(axis=-1).sum(axis=1) >= 3
        is_outside = inside_box(type(people)(single, people.boxes, people.sizes), 0.5) == 0
        far[:, k] = np.where(has_box, is_outside, enough & (distance > MAX_DISTANCE * side))
    return far


def _recurring(table: pd.DataFrame) -> Iterator[tuple[int, int, str, bool]]:
    """Yield row, joint, description and whether it recurs, for each joint at a placeholder of the file."""
    joints = joints_of(table)
    rows, indices = np.nonzero(np.isfinite(joints).all(axis=-1))
    points = joints[rows, indices]
    sizes = table[["width", "height"]].to_numpy(np.float64)
    is_large = sizes[rows].min(axis=1) >= MIN_IMAGE_SIDE
    beyond = points - (sizes[rows] - 1)
    corner = is_large & (_is_corner(points) | _is_corner(beyond))
    negative = (points < 0).all(axis=1) & (points[:, 0] == points[:, 1])
    apart = np.zeros(joints.shape[:2], bool)
    with_corner = np.unique(rows[corner])
    apart[with_corner] = _is_apart(joints[with_corner])
    suspicious = negative | (corner & apart[rows, indices])
    # Further ones at such corners, and those of many rows.
    if len(np.unique(rows[suspicious])) >= MIN_CORNER_ROWS or len(np.unique(rows[corner])) >= max(
        MIN_ROWS, MIN_CORNER_FRACTION * len(table)
    ):
        suspicious |= corner
    corners = len(np.unique(rows[suspicious]))
    for n in np.flatnonzero(suspicious):
        text = (
            f"{FULL_NAMES[JOINTS[indices[n]]]} at {points[n, 0]:g}, {points[n, 1]:g} ({_rows(corners)} of the file)"
        )
        yield int(rows[n]), int(indices[n]), text, corners >= MIN_CORNER_ROWS
    absolute = _shared(points, rows, joints, np.ones_like(points))
    relative = _shared(points / sizes[rows], rows, joints, sizes[rows])
    for n in np.flatnonzero(~(corner | negative)):
        shared = max(absolute[n], relative[n])
        if shared:
            across, down = points[n] / sizes[rows[n]]
            position = (
                f"{points[n, 0]:g}, {points[n, 1]:g}"
                if absolute[n] >= relative[n]
                else f"{across:.0%} of the width, {down:.0%} of the height"
            )
            name = FULL_NAMES[JOINTS[indices[n]]]
            yield int(rows[n]), int(indices[n]), f"{name} at {position} ({_rows(shared)} of the file)", True


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _is_apart(joints: np.ndarray) -> np.ndarray:
    """Return (N, K) whether each joint is apart from the rectangle around the person's others, at least three."""
    apart = np.zeros(joints.shape[:2], bool)
    for k in range(joints.shape[1]):
        others = np.delete(joints, k, axis=1)
        rectangle = extents(others)
        side = (rectangle[:, 1] - rectangle[:, 0]).max(axis=1)
        distance = np.maximum(rectangle[:, 0] - joints[:, k], joints[:, k] - rectangle[:, 1]).max(axis=1)
        enough = np.isfinite(others).all(axis=-1).sum(axis=1) >= 3
        apart[:, k] = enough & (np.nan_to_num(distance) > MIN_GAP * np.nan_to_num(side))
    return apart


def _is_corner(points: np.ndarray) -> np.ndarray:
    """Return (M,) whether points are 0, 0 or one diagonal step away from it."""
    at_corner: np.ndarray = (np.abs(points) <= 1).all(axis=1) & (points[:, 0] == points[:, 1])
    return at_corner


def _shared(points: np.ndarray, rows: np.ndarray, joints: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return, for each joint (M,), the number of rows with a joint at the same position, or 0 if that is no sign.

    A position is one if many rows share it, many more than its neighbourhood lets expect, although the people
    themselves are at different places: a joint of a person at rest stays where it is.

    Args:
        points: (M, 2) positions in px, or relative to the image.
        rows: (M,) row of each joint.
        joints: (N, K, 2) px.
        scales: (M, 2) px per unit of `points`.
    """
    order = np.lexsort(points.round(4).T)
    ordered, ordered_rows = points[order].round(4), rows[order]
    starts = np.flatnonzero(np.any(np.diff(ordered, axis=0, prepend=np.nan) != 0, axis=1))
    ends = np.append(starts[1:], len(ordered))
    shared = np.zeros(len(points), int)
    if not len(points):
        return shared
    total = len(np.unique(rows))
    necessary = max(MIN_ROWS, min(MIN_FRACTION * total, SUFFICIENT_ROWS), MIN_FRACTION_OF_MANY * total)
    for start, end in zip(starts, ends, strict=True):
        if end - start < necessary:
            continue
        members = order[start:end]
        of_position = np.unique(ordered_rows[start:end])
        if len(of_position) < necessary:
            continue
        distance = np.abs(points - points[members[0]]) * scales
        nearby = np.array([(distance <= half).all(axis=1).sum() for half in NEIGHBOURHOODS]) - len(members)
        expected = float(max(nearby / (2 * np.array(NEIGHBOURHOODS) + 1) ** 2))
        by_chance = len(starts) * poisson.sf(len(members) - 1, expected)
        people = joints[of_position]
        middles = np.nanmedian(people, axis=1)
        extent = np.median((np.nanmax(people, axis=1) - np.nanmin(people, axis=1)).max(axis=1))
        spread = np.percentile(middles, 90, axis=0) - np.percentile(middles, 10, axis=0)
        is_excess = len(members) >= MIN_EXCESS * expected and by_chance <= MAX_CHANCE
        if is_excess and spread.max() > 0.3 * extent:
            shared[members] = len(of_position)
    return shared
