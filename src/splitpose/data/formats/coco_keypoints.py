"""Values of COCO keypoints: which are annotated, which stand for missing ones, and which are invalid.

Keypoints are arrays (N, K, 3) of x, y and visibility; null is NaN. Visibility is 0 (not annotated), 1 (annotated
but hidden) or 2 (annotated and visible).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

VISIBILITIES = (0, 1, 2)


def positions(keypoints: np.ndarray) -> np.ndarray:
    """Return x and y (N, K, 2), NaN where not annotated.

    Not annotated are keypoints of visibility 0, and those that tools write with null or -1 for both coordinates.
    """
    is_annotated = (keypoints[..., 2] > 0) & ~_lacks_coordinates(keypoints)
    annotated: np.ndarray = np.where(is_annotated[..., None], keypoints[..., :2], np.nan)
    return annotated


def find_problems(keypoints: np.ndarray) -> dict[int, str]:
    """Return the first problem of each row that has an invalid visibility."""
    visibility = keypoints[..., 2]
    is_invalid = ~np.isin(visibility, VISIBILITIES) & ~_is_absent(keypoints)
    return {
        int(row): f"visibility of keypoint {index} is {_number(visibility[row, index])}; it should be 0, 1 or 2"
        for row, index in zip(np.flatnonzero(is_invalid.any(axis=1)), _first(is_invalid), strict=True)
    }


def count_missing(keypoints: np.ndarray, num_keypoints: Sequence[object]) -> Counter[str]:
    """Return the number of people by what is missing or contradictory.

    Args:
        keypoints: keypoints of the people, (N, K, 3).
        num_keypoints: value of `num_keypoints` for each of them, of any type; None if it is not given.
    """
    is_visible = keypoints[..., 2] > 0
    lacks_coordinates = is_visible & _lacks_coordinates(keypoints) | _is_absent(keypoints)
    invisible = ~is_visible.any(axis=1) & (keypoints[..., :2] > 0).any(axis=(1, 2))
    counts = zip(is_visible.sum(axis=1).tolist(), (keypoints[..., 2] == 2).sum(axis=1).tolist(), strict=True)
    differs = [
        number is not None and number not in (annotated, visible)
        for number, (annotated, visible) in zip(num_keypoints, counts, strict=True)
    ]
    return +Counter(
        {
            "people with keypoints whose coordinates are null, NaN or -1, which are not annotated": int(
                lacks_coordinates.any(axis=1).sum()
            ),
            "people with coordinates, but visibility 0 (not annotated) for all keypoints": int(invisible.sum()),
            "people whose num_keypoints differs from their keypoints with visibility above 0 and is ignored": sum(
                differs
            ),
        }
    )


def _lacks_coordinates(keypoints: np.ndarray) -> np.ndarray:
    """Return (N, K) bool, whether x or y is null, or both are -1."""
    xy = keypoints[..., :2]
    lacking: np.ndarray = np.isnan(xy).any(axis=-1) | (xy == -1).all(axis=-1)
    return lacking


def _is_absent(keypoints: np.ndarray) -> np.ndarray:
    """Return (N, K) bool, whether the visibility is null or -1, too, or null with coordinates of 0."""
    visibility = keypoints[..., 2]
    has_none = _lacks_coordinates(keypoints) & (np.isnan(visibility) | (visibility == -1))
    absent: np.ndarray = has_none | (np.isnan(visibility) & (keypoints[..., :2] == 0).all(axis=-1))
    return absent


def _first(is_invalid: np.ndarray) -> np.ndarray:
    """Return the index of the first invalid keypoint of each row that has one."""
    first: np.ndarray = is_invalid[is_invalid.any(axis=1)].argmax(axis=1)
    return first


def _number(value: float) -> str:
    return "null" if np.isnan(value) else f"{value:g}"
