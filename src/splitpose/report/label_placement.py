"""Names beside the points of a scatter plot, none over another or over a point."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

SIZE = 8.5
POINT = 5
"""Half of a point's side, which no name may cover. This and all below in 1/72 inch."""

DISTANCES = (8, 14, 20, 28, 38, 50, 64)
"""From a point to its name; the first that is free is taken."""

TIED_FROM = 14
"""Names that stand as far off, or further, are tied to their points by a line."""

TIE_POINTS = 9
"""Of such a line, at which it is looked at what it meets."""

DIRECTIONS = [(np.cos(turn), np.sin(turn)) for turn in np.arange(16) * np.pi / 8]
"""To the right first, then counterclockwise."""


def place(figure: Figure, axes: Axes, points: Sequence[tuple[float, float]], names: Sequence[str]) -> list[Bbox]:
    """Write each name near its point, the points of a finished plot; the names' boxes in pixels.

    A name for which no place is free stands where it covers least. The first names have the choice. The way from a
    point to its name, a line or none, keeps off other names and points, so that each name is read to its own.
    """
    figure.draw_without_rendering()  # lays the figure out, so that the points' places are known
    pixels = figure.dpi / 72
    centres = axes.transData.transform(points)
    taken = [_box(x, y, 2 * POINT * pixels, 2 * POINT * pixels, 0, 0) for x, y in centres]
    inside = axes.get_window_extent()
    boxes: list[Bbox] = []
    for point, (x, y), name in zip(points, centres, names, strict=True):
        label = axes.annotate(
            name, point, (0, 0), textcoords="offset points", fontsize=SIZE, ha="center", va="center"
        )
        size = label.get_window_extent()
        others = [other for k, other in enumerate(taken) if k != len(boxes)]
        tried = []
        for distance in DISTANCES:
            for right, up in DIRECTIONS:
                at = x + distance * right * pixels, y + distance * up * pixels
                box = _box(*at, size.width, size.height, right, up)
                covered = sum(_common(box, other) for other in taken) + (_area(box) - _common(box, inside))
                tie = np.linspace((x, y), np.clip((x, y), box.min, box.max), TIE_POINTS)
                crossed = sum(other.contains(*at) for other in others for at in tie)
                tried.append((covered, crossed, distance, box))
        *_, distance, box = min(tried, key=lambda each: each[:3])
        centre = np.add(box.min, box.max) / 2
        label.set_position(tuple((centre - (x, y)) / pixels))
        if distance >= TIED_FROM:
            end = np.clip((x, y), box.min, box.max)
            taken += [_box(a, b, pixels, pixels, 0, 0) for a, b in np.linspace((x, y), end, TIE_POINTS)]
            axes.annotate(
                "",
                point,
                tuple((end - (x, y)) / pixels),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "color": "#777777", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3},
            )
        taken.append(box)
        boxes.append(box)
    return boxes


def _box(x: float, y: float, width: float, height: float, right: float, up: float) -> Bbox:
    """A box that lies to the right of and above a place (1), to its left and below (-1), or around it (0)."""
    left, bottom = x - width * (1 - right) / 2, y - height * (1 - up) / 2
    return Bbox.from_bounds(left, bottom, width, height)


def _common(one: Bbox, other: Bbox) -> float:
    """The area that two boxes share."""
    common = Bbox.intersection(one, other)
    return _area(common) if common is not None else 0.0


def _area(box: Bbox) -> float:
    return float(box.width * box.height)
