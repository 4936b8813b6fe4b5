"""The few brushes that figures and backgrounds are painted with.

A picture is (H, W, 3) uint8, blue first; pixel centres are at integers. A coverage is float32 in 0-1.
"""

from functools import cache

import cv2
import numpy as np

SHIFT = 4
"""OpenCV's drawing takes whole numbers; these are in 1/16 px."""

NOISE_SIZE = 1024

Window = tuple[slice, slice]


@cache
def noise(octave: int) -> np.ndarray:
    """Smooth random texture that tiles, (1024, 1024) uint8 around 128, features about 2**octave px wide."""
    rng = np.random.default_rng(octave)
    field = np.zeros((NOISE_SIZE, NOISE_SIZE), np.float32)
    for level in range(max(octave - 2, 0), octave + 1):
        cells = NOISE_SIZE >> level
        coarse = np.pad(rng.standard_normal((cells, cells)).astype(np.float32), 2, mode="wrap")
        step = 1 << level
        fine = cv2.resize(coarse, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        field += fine[2 * step : -2 * step, 2 * step : -2 * step] * 2.0 ** (level - octave)
    field -= field.mean()
    return np.clip(128 + 42 * field / field.std(), 0, 255).astype(np.uint8)


def noise_patch(rng: np.random.Generator, octave: int, height: int, width: int) -> np.ndarray:
    """A random window of `noise(octave)`, (height, width) uint8."""
    y = int(rng.integers(NOISE_SIZE - height + 1))
    x = int(rng.integers(NOISE_SIZE - width + 1))
    return noise(octave)[y : y + height, x : x + width]


def fixed(points: np.ndarray) -> np.ndarray:
    """Points (N, 2) in px as OpenCV's fixed-point int32, (N, 1, 2)."""
    return np.rint(np.asarray(points) * (1 << SHIFT)).astype(np.int32).reshape(-1, 1, 2)


def polygon(image: np.ndarray, points: np.ndarray, colour: tuple[float, ...]) -> None:
    """Fill a polygon (N, 2) with smooth edges."""
    cv2.fillPoly(image, [fixed(points)], colour, cv2.LINE_AA, SHIFT)


def stroke(image: np.ndarray, points: np.ndarray, colour: tuple[float, ...], width: float) -> None:
    """Draw an open line through points (N, 2) with smooth edges; `width` is at least 1 px."""
    cv2.polylines(image, [fixed(points)], False, colour, max(1, round(width)), cv2.LINE_AA, SHIFT)


def ellipse(
    image: np.ndarray,
    centre: tuple[float, float],
    radii: tuple[float, float],
    colour: tuple[float, ...],
    angle: float = 0.0,
) -> None:
    """Fill an ellipse with smooth edges; `angle` in degrees, clockwise."""
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    x, y = radii[0] * np.cos(turn), radii[1] * np.sin(turn)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    polygon(image, np.stack([centre[0] + c * x - s * y, centre[1] + s * x + c * y], axis=1), colour)


def smooth(points: np.ndarray, closed: bool = False, steps: int = 6) -> np.ndarray:
    """A Catmull-Rom curve through points (N, 2), `steps` points a piece."""
    p = np.asarray(points, np.float64)
    around = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    a, b, c, d = around[:-3], around[1:-2], around[2:-1], around[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    a, b, c, d = (q[:, None] for q in (a, b, c, d))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    flat = curve.reshape(-1, 2)
    return flat if closed else np.concatenate([flat, p[-1:]])


def darkened(colour: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """`colour` (h, w, 3) uint8 times the share `keep` (h, w) in 0-1."""
    share = cv2.cvtColor(cv2.convertScaleAbs(keep, alpha=255), cv2.COLOR_GRAY2BGR)
    return cv2.multiply(colour, share, scale=1 / 255)


class Canvas:
    """A picture and, beside it, how much of each pixel the person being painted covers."""

    def __init__(self, picture: np.ndarray) -> None:
        self.picture = picture
        self.cover: np.ndarray = np.zeros(picture.shape[:2], np.float32)

    def lay(self, colour: np.ndarray, coverage: np.ndarray, x: int, y: int) -> None:
        """Lay `colour` (h, w, 3) uint8 over the picture where `coverage` (h, w) says, corner at (x, y)."""
        windows = self._overlap(coverage.shape, x, y)
        if windows is None:
            return
        here, there = windows
        new, old = coverage[there], self.cover[here]
        rest = 1 - new
        self.picture[here] = cv2.blendLinear(colour[there], self.picture[here], new, rest)
        self.cover[here] = new + rest * old

    def shade(self, darkness: np.ndarray, x: int, y: int, beyond: float) -> None:
        """Darken by `darkness` (h, w) in 0-1 where the person is, and by `beyond` of it elsewhere."""
        windows = self._overlap(darkness.shape, x, y)
        if windows is None:
            return
        here, there = windows
        keep = 1 - darkness[there] * (beyond + (1 - beyond) * self.cover[here])
        self.picture[here] = darkened(self.picture[here], keep)

    def _overlap(self, size: tuple[int, ...], x: int, y: int) -> tuple[Window, Window] | None:
        """The window of the picture that a patch of `size` at (x, y) meets, and the same in the patch."""
        height, width = self.cover.shape
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + size[1], width), min(y + size[0], height)
        if x1 <= x0 or y1 <= y0:
            return None
        return (slice(y0, y1), slice(x0, x1)), (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
