"""Placement of labels next to the points of a scatter plot, without overlap."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

FONT_SIZE = 8.5
POINT_RADIUS = 5
"""Half the side of the square around a point that no label may cover; lengths are in points of 1/72 inch."""

DISTANCES = (8, 14, 20, 28, 38, 50, 64)
"""Candidate distances of a label from its point; the first free one is used."""

MIN_LEADER_DISTANCE = 14
"""Labels at this distance or further are connected to their points by a leader line."""

LEADER_SAMPLES = 9
"""Positions along a leader line that are tested for collisions."""

DIRECTIONS = [(np.cos(angle), np.sin(angle)) for angle in np.arange(16) * np.pi / 8]
"""Candidate directions, to the right first, then counterclockwise."""


def place_labels(
    figure: Figure, axes: Axes, points: Sequence[tuple[float, float]], names: Sequence[str]
) -> list[Bbox]:
    """Write each name near its point.

    A name for which no position is free is placed where it overlaps least. Earlier names have priority. The line
    from a point to its name avoids other names and points, so that the assignment is unambiguous.

    Args:
        figure: the figure, complete except for the labels.
        axes: the axes of the points.
        points: data coordinates.
        names: label of each point.

    Returns:
        The bounding boxes of the labels in pixels.
    """
    figure.draw_without_rendering()  # The layout determines the positions of the points in pixels.
    pixels = figure.dpi / 72
    centres = axes.transData.transform(points)
    obstacles = [_box(x, y, 2 * POINT_RADIUS * pixels, 2 * POINT_RADIUS * pixels, 0, 0) for x, y in centres]
    boxes: list[Bbox] = []
    for point, centre, name in zip(points, centres, names, strict=True):
        label = axes.annotate(
            name, point, (0, 0), textcoords="offset points", fontsize=FONT_SIZE, ha="center", va="center"
        )
        distance, box = _find_position(axes, label.get_window_extent(), centre, obstacles, len(boxes), pixels)
        label.set_position(tuple((np.add(box.min, box.max) / 2 - centre) / pixels))
        if distance >= MIN_LEADER_DISTANCE:
            end = np.clip(centre, box.min, box.max)
            obstacles += [_box(a, b, pixels, pixels, 0, 0) for a, b in np.linspace(centre, end, LEADER_SAMPLES)]
            axes.annotate(
                "",
                point,
                tuple((end - centre) / pixels),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "color": "#777777", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3},
            )
        obstacles.append(box)
        boxes.append(box)
    return boxes


def _find_position(
    axes: Axes, size: Bbox, centre: np.ndarray, obstacles: Sequence[Bbox], index: int, pixels: float
) -> tuple[float, Bbox]:
    """Return distance and box of the best position for the label of point `index`.

    Positions are ranked by the area that overlaps obstacles or leaves the axes, then by the obstacles that the
    leader line crosses, then by distance.
    """
    inside = axes.get_window_extent()
    others = [other for k, other in enumerate(obstacles) if k != index]
    candidates = []
    for distance in DISTANCES:
        for right, up in DIRECTIONS:
            x, y = centre + np.array([right, up]) * distance * pixels
            box = _box(x, y, size.width, size.height, right, up)
            overlap = sum(_overlap(box, other) for other in obstacles) + (_area(box) - _overlap(box, inside))
            leader = np.linspace(centre, np.clip(centre, box.min, box.max), LEADER_SAMPLES)
            crossed = sum(other.contains(*position) for other in others for position in leader)
            candidates.append((overlap, crossed, distance, box))
    *_, distance, box = min(candidates, key=lambda candidate: candidate[:3])
    return distance, box


def _box(x: float, y: float, width: float, height: float, right: float, up: float) -> Bbox:
    """Return a box to the right of and above a position (1), to its left and below (-1), or around it (0)."""
    left, bottom = x - width * (1 - right) / 2, y - height * (1 - up) / 2
    return Bbox.from_bounds(left, bottom, width, height)


def _overlap(box: Bbox, other: Bbox) -> float:
    """Return the area that two boxes share."""
    common = Bbox.intersection(box, other)
    return _area(common) if common is not None else 0.0


def _area(box: Bbox) -> float:
    return float(box.width * box.height)
