"""Finding a person in a whole picture with a model that was trained on squares around people.

It is asked about squares that together cover the picture. Where it sees a person, it is sure of the joints, and the
square that these joints ask for is the one it was shown; a guess fails in one or the other.
"""

from collections.abc import Callable, Sequence

import numpy as np

from splitpose.crops.geometry import Picture, Region, whole_picture
from splitpose.predicting.model import Look, Model

SIDES = (1.0, 0.7, 0.5)
"""Of the squares, in shorter sides of the picture; each reaches half over the next."""

SHARED = 0.3
"""Overlap from which on two squares are of one person."""

Around = Callable[[np.ndarray], Region]
"""The square that a person's joints, (K, 2) px, ask for."""


def search(
    model: Model, picture: Picture, size: tuple[int, int], around: Around, taken: Sequence[Region] = ()
) -> Look | None:
    """The person of whom the model is surest, in a picture of this (width, height).

    The better half of the looks is followed by looks at the squares that their joints ask for, of which the better
    half is followed again, until one is left.

    Args:
        model: one that gives confidences.
        picture: where to look.
        size: px.
        around: the square that joints ask for.
        taken: squares of other people, who are not to be found again.

    Returns:
        None where everybody found was one of the others.
    """
    looks = [model.look(picture, region) for region in squares(*size)]
    while len(looks) > 1:
        looks = sorted(looks, key=lambda look: -trust(look, around))[: len(looks) // 2]
        looks = [model.look(picture, around(look.joints)) for look in looks]
        looks = [look for look in looks if not _is_one_of(taken, look)]
    return looks[0] if looks else None


def trust(look: Look, around: Around) -> float:
    """From 0 to 1: how sure the model is, times how far the square it saw is the one that the joints ask for."""
    asked = around(look.joints)
    return float(look.confidence.mean()) * (overlap(look.region, asked) if look.region else 0.0)


def squares(width: int, height: int) -> list[Region]:
    """Squares that cover a picture, and one around all of it."""
    shorter = min(width, height)
    found = [whole_picture(width, height)]
    for side in (part * shorter for part in SIDES):
        found += [Region(x, y, side) for y in _middles(height, side) for x in _middles(width, side)]
    return found


def overlap(one: Region, other: Region) -> float:
    """Shared area of two squares over the area of both together."""
    reach = (one.side + other.side) / 2
    across, down = (min(reach - abs(gap), one.side, other.side) for gap in (one.x - other.x, one.y - other.y))
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / (one.side**2 + other.side**2 - shared)


def _is_one_of(others: Sequence[Region], look: Look) -> bool:
    return look.region is not None and any(overlap(look.region, other) >= SHARED for other in others)


def _middles(length: int, side: float) -> list[float]:
    """Middles of stretches of `side` px, at most half of it apart, that cover `length` px."""
    steps = 1 + int(np.ceil((length - side) / (side / 2) - 1e-9))
    first, last = side / 2 - 0.5, length - side / 2 - 0.5  # the first pixel's edge is at -0.5
    middles: list[float] = np.linspace(first, last, steps).tolist()
    return middles
