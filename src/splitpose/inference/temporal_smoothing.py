"""Joints of a video without the model's trembling, and without lag: a file's next frames are known, too.

A joint's place is the mean of what was found within `REACH` seconds before and after, each weighted by how near it
is in time and in place (a bilateral filter). Frames count in pairs, one as long before as the other is after, so
that movement at an even speed stays where it is, to a video's first and last frame; and as places far off count for
nothing, quick movements and their turning points stay, too. How near two places are is told by means of five frames
each, so that single slips do not keep their places.

On rendered people who move, benchmarks/following.py compares this with the One Euro filter, which knows the past
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
    """Joints (P, K, 2) of the frame `at`, taking up to `reach` frames before and as many after it into account."""
    joints, sides, begun = (np.stack(parts) for parts in zip(*tracks, strict=True))
    same = (begun == begun[at])[..., None]  # (T, P, 1)
    gaps = np.arange(1, min(reach, at, len(tracks) - 1 - at) + 1)
    paired = same[at - gaps] & same[at + gaps]
    frames = np.concatenate([at - gaps, [at], at + gaps])
    counted = np.concatenate([paired, same[[at]], paired])
    about = _about(joints, same)
    apart = np.linalg.norm(about[frames] - about[at], axis=-1) / sides[at][:, None]
    nearness = np.exp(-(((frames - at) / (rate * IN_TIME)) ** 2)[:, None, None] / 2 - (apart / IN_PLACE) ** 2 / 2)
    weights = nearness * counted
    return np.einsum("tpk,tpkd->pkd", weights / weights.sum(axis=0), joints[frames])


def _about(joints: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Means of joints (T, P, K, 2) over the pairs of frames beside each that are of the `same` track, (T, P, 1)."""
    total, count = joints.copy(), np.ones(same.shape)
    for gap in range(1, BESIDE + 1):
        paired = same[: -2 * gap] & same[2 * gap :]
        total[gap:-gap] += paired[..., None] * (joints[: -2 * gap] + joints[2 * gap :])
        count[gap:-gap] += 2 * paired
    return total / count[..., None]
