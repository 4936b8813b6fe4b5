"""Garments on the flat torso: neckline, collar, lapels, buttons and belt."""

from dataclasses import dataclass

import numpy as np

from splitpose.synthetic.appearance import Appearance, Colour, mean_colour, scale_colour
from splitpose.synthetic.canvas import catmull_rom, draw_line, fill_polygon

Points = list[tuple[float, float]]
"""Points in torso units around the middle of the shoulders."""


@dataclass(frozen=True)
class FlatTorso:
    """The cloth of a flat torso, on which garments are drawn."""

    image: np.ndarray
    """(h, w, 3) uint8."""
    left: float
    top: float
    """Position of the image's left and upper edge, torso units."""
    scale: float
    """Pixels per torso unit."""
    appearance: Appearance

    @property
    def cloth(self) -> Colour:
        """Average colour of the cloth."""
        return mean_colour(self.appearance.cloth)

    @property
    def seam(self) -> Colour:
        """Colour of seams and edges."""
        return scale_colour(self.cloth, 0.55)

    @property
    def seam_width(self) -> float:
        """Width of seams, px."""
        return max(1.0, 0.008 * self.scale)

    def px(self, points: Points) -> np.ndarray:
        """Convert points from torso units to px, (N, 2)."""
        pixels: np.ndarray = (np.array(points) - [self.left, self.top]) * self.scale
        return pixels

    def fill(self, points: Points, colour: Colour) -> None:
        """Fill a polygon."""
        fill_polygon(self.image, self.px(points), colour)

    def line(self, points: Points, colour: Colour, width: float) -> None:
        """Draw a polyline, `width` in px."""
        draw_line(self.image, self.px(points), colour, width)


def draw_garment(flat: FlatTorso) -> None:
    """Draw neckline, collar, lapels, buttons and belt."""
    match flat.appearance.outfit:
        case "suit" | "jacket":
            _draw_jacket(flat)
        case "shirt":
            _draw_shirt(flat)
        case "dress":
            _draw_dress(flat)
        case _:
            _draw_neckline(flat)


def _draw_jacket(flat: FlatTorso) -> None:
    """Draw a suit or an open jacket over a shirt, with lapels, pockets and perhaps a tie."""
    appearance, seam, width = flat.appearance, flat.seam, flat.seam_width
    depth = 0.48 if appearance.outfit == "suit" else 0.95
    opening = 0.02 if appearance.outfit == "suit" else 0.1
    flat.fill(
        [(-0.13, -0.2), (0.13, -0.2), (0.12, 0.0), (opening, depth), (-opening, depth), (-0.12, 0.0)],
        appearance.under,
    )
    flat.fill([(-0.1, -0.2), (0.1, -0.2), (0.0, 0.05)], appearance.skin)
    if appearance.tie:
        tie = [
            (-0.03, -0.045),
            (0.03, -0.045),
            (0.022, 0.02),
            (0.045, 0.42),
            (0, 0.5),
            (-0.045, 0.42),
            (-0.022, 0.02),
        ]
        flat.fill(tie, appearance.tie)
        flat.line([(-0.024, 0.02), (0.024, 0.02)], scale_colour(appearance.tie), width)
    for side in (-1, 1):
        collar = [(side * 0.1, -0.13), (side * 0.0, 0.035), (side * 0.06, 0.1), (side * 0.125, -0.06)]
        flat.fill(collar, scale_colour(appearance.under, 0.93))
        lapel = [
            (side * 0.12, -0.12),
            (side * 0.21, 0.1),
            (side * 0.17, 0.13),
            (side * 0.19, 0.17),
            (side * opening, depth),
        ]
        flat.fill(lapel, scale_colour(flat.cloth, 0.82))
        flat.line(lapel, seam, width)
        flat.line([(side * 0.12, 0.72), (side * 0.25, 0.69)], seam, 2 * width)
    flat.line([(0, depth), (0.02, 1.12)], seam, 1.5 * width)


def _draw_shirt(flat: FlatTorso) -> None:
    """Draw a shirt with collar, buttons and belt."""
    cloth, seam, width = flat.cloth, flat.seam, flat.seam_width
    flat.fill([(-0.1, -0.2), (0.1, -0.2), (0.0, 0.08)], flat.appearance.skin)
    for side in (-1, 1):
        collar = [(side * 0.115, -0.16), (side * 0.0, 0.06), (side * 0.085, 0.11), (side * 0.15, -0.05)]
        flat.fill(collar, scale_colour(cloth, 1.06 if max(cloth) < 235 else 0.96))
        flat.line(collar, seam, width)
    flat.line([(0.015, 0.07), (0.015, 0.9)], seam, width)
    for y in np.arange(0.16, 0.85, 0.13):
        flat.fill([(-0.01, y), (0, y + 0.01), (0.01, y), (0, y - 0.01)], scale_colour(cloth, 0.4))
    flat.fill([(-0.5, 0.845), (0.5, 0.845), (0.5, 0.9), (-0.5, 0.9)], (26, 30, 38))


def _draw_dress(flat: FlatTorso) -> None:
    """Draw a dress with a wide neckline, bare shoulders if it has no sleeves, and a waistband."""
    skin = flat.appearance.skin
    flat.fill(
        [(-0.2, -0.2), (0.2, -0.2), (0.19, 0.02), (0.1, 0.18), (0, 0.2), (-0.1, 0.18), (-0.19, 0.02)],
        skin,
    )
    if flat.appearance.sleeve < 0.2:
        for side in (-1, 1):
            shoulder = [
                (side * 0.27, -0.2),
                (side * 0.27, 0.04),
                (side * 0.315, 0.2),
                (side * 0.5, 0.2),
                (side * 0.5, -0.2),
            ]
            flat.fill(shoulder, skin)
    flat.line([(-0.4, 0.55), (0, 0.57), (0.4, 0.55)], flat.seam, 2.5 * flat.seam_width)


def _draw_neckline(flat: FlatTorso) -> None:
    """Draw the round neckline of a T-shirt or a sweater, and the sweater's hem."""
    appearance, seam, width = flat.appearance, flat.seam, flat.seam_width
    depth = 0.2 if appearance.outfit == "sweater" and appearance.woman else 0.06
    neckline = catmull_rom(
        np.array(
            [
                (-0.14, -0.2),
                (-0.13, -0.04),
                (-0.06, depth * 0.8),
                (0, depth),
                (0.06, depth * 0.8),
                (0.13, -0.04),
                (0.14, -0.2),
            ]
        )
    )
    points: Points = [(x, y) for x, y in neckline]
    flat.fill(points, appearance.skin)
    flat.line(points, appearance.trim if appearance.outfit == "tee" else seam, 2.5 * width)
    if appearance.outfit == "sweater":
        flat.line([(-0.5, 0.9), (0.5, 0.9)], seam, 2 * width)
