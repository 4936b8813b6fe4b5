"""Temporal smoothing: removes the jitter of a video's joints, without lag, because later frames are known too.

A smoothed joint is the weighted mean of its positions within `RADIUS_SECONDS` before and after; weights fall with
the distance in time and in position (a bilateral filter). Frames are used in pairs, equally far before
and after, which preserves uniform motion from the first frame to the last. Distant positions have almost no weight,
which preserves quick movements and their turning points. The distance of two positions is measured
between means over five frames, so that single outliers do not keep their positions.

benchmarks/tracking.py compares this with the One Euro filter, which uses earlier frames only, on videos of rendered
people.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np

RADIUS_SECONDS = 0.2
"""Seconds before and after a frame that are taken into account."""

TIME_SIGMA = 0.13
"""Standard deviation of the weights in time, seconds."""

POSITION_SIGMA = 0.05
"""Standard deviation of the weights in position, sides of the person's region."""

MEAN_RADIUS = 2
"""Frames before and after over which positions are averaged before their distance is measured."""

Item = TypeVar("Item")


class FramePoses(NamedTuple):
    """The P people of a frame: joints (P, K, 2) px, sides of their regions (P,) px, and track ids (P,)."""

    joints: np.ndarray
    sides: np.ndarray
    track_ids: np.ndarray


def smooth_frames(
    items: Iterable[Item], poses_of: Callable[[Item], FramePoses], fps: float
) -> Iterator[tuple[Item, np.ndarray]]:
    """Yield the frames of a video, with some frames' delay, each with its smoothed joints (P, K, 2).

    Args:
        items: frames.
        poses_of: returns the poses in a frame, of the same P people in every frame; a person is smoothed only over
            frames with the same track id.
        fps: frames per second.
    """
    radius = round(RADIUS_SECONDS * fps)
    window: deque[tuple[Item, FramePoses]] = deque()
    index = 0  # of the frame in the window that is yielded next

    def smoothed_joints() -> np.ndarray:
        return smooth_joints([poses for _, poses in window], index, radius, fps)

    for item in items:
        window.append((item, poses_of(item)))
        if len(window) - index > radius + MEAN_RADIUS:
            yield window[index][0], smoothed_joints()
            index += 1
            if index > radius + MEAN_RADIUS:
                window.popleft()
                index -= 1
    while index < len(window):
        yield window[index][0], smoothed_joints()
        index += 1


def smooth_joints(poses: list[FramePoses], index: int, radius: int, fps: float) -> np.ndarray:
    """Return the smoothed joints (P, K, 2) of the frame `index` from up to `radius` frames before and after it."""
    joints, sides, track_ids = (np.stack(parts) for parts in zip(*poses, strict=True))
    is_same_track = (track_ids == track_ids[index])[..., None]  # (T, P, 1)
    gaps = np.arange(1, min(radius, index, len(poses) - 1 - index) + 1)
    is_paired = is_same_track[index - gaps] & is_same_track[index + gaps]
    frames = np.concatenate([index - gaps, [index], index + gaps])
    is_used = np.concatenate([is_paired, is_same_track[[index]], is_paired])
    means = _local_means(joints, is_same_track)
    distances = np.linalg.norm(means[frames] - means[index], axis=-1) / sides[index][:, None]
    times = (frames - index) / (fps * TIME_SIGMA)
    weights = np.exp(-(times**2)[:, None, None] / 2 - (distances / POSITION_SIGMA) ** 2 / 2) * is_used
    smoothed: np.ndarray = np.einsum("tpk,tpkd->pkd", weights / weights.sum(axis=0), joints[frames])
    return smoothed


def _local_means(joints: np.ndarray, is_same_track: np.ndarray) -> np.ndarray:
    """Return means of joints (T, P, K, 2) over the pairs of neighbouring frames in the same track, (T, P, 1)."""
    total, count = joints.copy(), np.ones(is_same_track.shape)
    for gap in range(1, MEAN_RADIUS + 1):
        is_paired = is_same_track[: -2 * gap] & is_same_track[2 * gap :]
        total[gap:-gap] += is_paired[..., None] * (joints[: -2 * gap] + joints[2 * gap :])
        count[gap:-gap] += 2 * is_paired
    return total / count[..., None]
