"""Drawing primitives for synthetic figures and backgrounds.

An image is (H, W, 3) uint8 BGR; pixel centres are at integers. A coverage (alpha) is float32 in 0-1.
"""

from functools import cache

import cv2
import numpy as np

SHIFT = 4
"""Fractional bits of OpenCV's fixed-point coordinates: 1/16 px."""

NOISE_SIZE = 1024

Window = tuple[slice, slice]


@cache
def noise_texture(octave: int) -> np.ndarray:
    """Return smooth tileable noise, (1024, 1024) uint8 around 128, with features of about 2**octave px."""
    rng = np.random.default_rng(octave)
    field = np.zeros((NOISE_SIZE, NOISE_SIZE), np.float32)
    for level in range(max(octave - 2, 0), octave + 1):
        cells = NOISE_SIZE >> level
        coarse = np.pad(rng.standard_normal((cells, cells)).astype(np.float32), 2, mode="wrap")
        step = 1 << level
        fine = cv2.resize(coarse, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        field += fine[2 * step : -2 * step, 2 * step : -2 * step] * 2.0 ** (level - octave)
    field -= field.mean()
    texture: np.ndarray = np.clip(128 + 42 * field / field.std(), 0, 255).astype(np.uint8)
    return texture


def sample_noise(rng: np.random.Generator, octave: int, height: int, width: int) -> np.ndarray:
    """Return a random window of `noise_texture(octave)`, (height, width) uint8."""
    y = int(rng.integers(NOISE_SIZE - height + 1))
    x = int(rng.integers(NOISE_SIZE - width + 1))
    return noise_texture(octave)[y : y + height, x : x + width]


def _to_fixed_point(points: np.ndarray) -> np.ndarray:
    """Convert points (N, 2) in px to OpenCV's fixed-point coordinates, (N, 1, 2) int32."""
    fixed: np.ndarray = np.rint(np.asarray(points) * (1 << SHIFT)).astype(np.int32).reshape(-1, 1, 2)
    return fixed


def fill_polygon(image: np.ndarray, points: np.ndarray, colour: tuple[float, ...]) -> None:
    """Fill a polygon (N, 2) with anti-aliased edges."""
    cv2.fillPoly(image, [_to_fixed_point(points)], colour, cv2.LINE_AA, SHIFT)


def draw_line(image: np.ndarray, points: np.ndarray, colour: tuple[float, ...], width: float) -> None:
    """Draw an open polyline through points (N, 2), anti-aliased and at least 1 px wide."""
    cv2.polylines(image, [_to_fixed_point(points)], False, colour, max(1, round(width)), cv2.LINE_AA, SHIFT)


def fill_ellipse(
    image: np.ndarray,
    centre: tuple[float, float],
    radii: tuple[float, float],
    colour: tuple[float, ...],
    angle: float = 0.0,
) -> None:
    """Fill an ellipse with anti-aliased edges; `angle` in degrees, clockwise."""
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    x, y = radii[0] * np.cos(turn), radii[1] * np.sin(turn)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    fill_polygon(image, np.stack([centre[0] + c * x - s * y, centre[1] + s * x + c * y], axis=1), colour)


def catmull_rom(points: np.ndarray, closed: bool = False, steps: int = 6) -> np.ndarray:
    """Return a Catmull-Rom spline through points (N, 2), with `steps` points per segment."""
    p = np.asarray(points, np.float64)
    padded = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    a, b, c, d = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    a, b, c, d = (q[:, None] for q in (a, b, c, d))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    flat: np.ndarray = curve.reshape(-1, 2)
    return flat if closed else np.concatenate([flat, p[-1:]])


def apply_shading(colour: np.ndarray, shading: np.ndarray) -> np.ndarray:
    """Multiply `colour` (h, w, 3) uint8 by `shading` (h, w) in 0-1."""
    factor = cv2.cvtColor(cv2.convertScaleAbs(shading, alpha=255), cv2.COLOR_GRAY2BGR)
    shaded: np.ndarray = cv2.multiply(colour, factor, scale=1 / 255)
    return shaded


class Canvas:
    """An image, and the coverage of each pixel by the figure that is drawn into it."""

    def __init__(self, image: np.ndarray) -> None:
        self.image = image
        self.coverage: np.ndarray = np.zeros(image.shape[:2], np.float32)

    def blend(self, colour: np.ndarray, coverage: np.ndarray, x: int, y: int) -> None:
        """Blend `colour` (h, w, 3) uint8 over the image with `coverage` (h, w), top left corner at (x, y)."""
        windows = self._intersect(coverage.shape, x, y)
        if windows is None:
            return
        target, patch = windows
        new, old = coverage[patch], self.coverage[target]
        rest = 1 - new
        self.image[target] = cv2.blendLinear(colour[patch], self.image[target], new, rest)
        self.coverage[target] = new + rest * old

    def darken(self, darkness: np.ndarray, x: int, y: int, background_factor: float) -> None:
        """Darken the figure by `darkness` (h, w) in 0-1, and the background by `background_factor` of it."""
        windows = self._intersect(darkness.shape, x, y)
        if windows is None:
            return
        target, patch = windows
        factor = background_factor + (1 - background_factor) * self.coverage[target]
        self.image[target] = apply_shading(self.image[target], 1 - darkness[patch] * factor)

    def _intersect(self, size: tuple[int, ...], x: int, y: int) -> tuple[Window, Window] | None:
        """Return where a patch of `size` at (x, y) overlaps the image, as windows of the image and of the patch."""
        height, width = self.coverage.shape
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + size[1], width), min(y + size[0], height)
        if x1 <= x0 or y1 <= y0:
            return None
        return (slice(y0, y1), slice(x0, x1)), (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
