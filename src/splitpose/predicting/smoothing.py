"""Joints of a video without the model's trembling, and without lag: a file's next frames are known, too.

A joint's place is the mean of what was found within `REACH` seconds before and after, each weighted by how near it
is in time and in place (a bilateral filter). As both sides count alike, movement at an even speed stays where it
is, and as places far off count for nothing, quick movements and their turning points stay, too. How near two
places are is told by means of five frames each, so that single slips do not keep their places.

On rendered people who move, benchmarks/smoothing.py compares this with the One Euro filter, which knows the past
alone.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np

REACH = 0.2
"""Seconds before and after."""

IN_TIME, IN_PLACE = 0.13, 0.05
"""Standard deviations of the weights: seconds, and sides of the person's square."""

BESIDE = 2
"""Frames before and after whose mean tells where a joint is about."""

Item = TypeVar("Item")
Track = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Joints (P, K, 2) px of a frame's people, the sides (P,) of their squares, px, and when each was found, (P,)."""


def smoothed(
    items: Iterable[Item], track_of: Callable[[Item], Track], rate: float
) -> Iterator[tuple[Item, np.ndarray]]:
    """The frames as they come, some frames later, each with its smoothed joints (P, K, 2).

    Args:
        items: frames of a video.
        track_of: the people in one, the same P in all. Only frames in which a person's third part is the same are
            taken together.
        rate: frames a second.
    """
    reach = round(REACH * rate)
    held: deque[tuple[Item, Track]] = deque()
    at = 0  # of the frame that is next to be given
    for item in items:
        held.append((item, track_of(item)))
        if len(held) - at > reach + BESIDE:
            yield held[at][0], smooth([track for _, track in held], at, reach, rate)
            at += 1
            if at > reach + BESIDE:
                held.popleft()
                at -= 1
    while at < len(held):
        yield held[at][0], smooth([track for _, track in held], at, reach, rate)
        at += 1


def smooth(tracks: list[Track], at: int, reach: int, rate: float) -> np.ndarray:
    """Joints (P, K, 2) of the frame `at`, taking up to `reach` frames before and after it into account."""
    joints, sides, begun = (np.stack(parts) for parts in zip(*tracks, strict=True))
    together = (begun == begun[at])[:, :, None].astype(np.float64)  # (T, P, 1)
    frames = np.arange(max(at - reach, 0), min(at + reach + 1, len(tracks)))
    about = _about(joints, together)
    apart = np.hypot(*np.moveaxis(about[frames] - about[at], -1, 0)) / sides[at][:, None]
    nearness = np.exp(-(((frames - at) / (rate * IN_TIME)) ** 2)[:, None, None] / 2 - (apart / IN_PLACE) ** 2 / 2)
    weights = nearness * together[frames]
    return np.einsum("tpk,tpkd->pkd", weights / weights.sum(axis=0), joints[frames])


def _about(joints: np.ndarray, together: np.ndarray) -> np.ndarray:
    """Means of joints (T, P, K, 2) over the frames beside each that belong `together`, (T, P, 1)."""
    gaps = np.abs(np.subtract.outer(np.arange(len(joints)), np.arange(len(joints))))
    beside = (gaps <= BESIDE).astype(np.float64)
    counted = np.maximum(np.tensordot(beside, together, 1), 1)
    means: np.ndarray = np.tensordot(beside, together[..., None] * joints, 1) / counted[..., None]
    return means
