"""How a film looks: colour, contrast, lens, grain and compression, the same in all its pictures."""

from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np

from splitpose.synthetic.paint import NOISE_SIZE
from splitpose.synthetic.poses import HEIGHT, WIDTH


@dataclass(frozen=True)
class Film:
    """The look that the pictures of one film share."""

    curves: np.ndarray
    """(1, 256, 3) uint8: what each value of each colour becomes."""
    saturation: float
    blur: float
    """Standard deviation of the lens's blur, px."""
    grain: float
    """Share of the grain that is seen."""
    vignette: float
    """Share of light lost in the corners."""
    bars: int
    """Height of the black bar above and below, px."""
    quality: int
    """Of the JPEG files, 0-100."""

    def rows(self) -> tuple[int, int]:
        """First and last row of the picture between the bars."""
        return self.bars, HEIGHT - self.bars


def film(rng: np.random.Generator) -> Film:
    """A film's look at random; about one in eight is black and white."""
    value = np.linspace(0, 1, 256)[:, None]
    contrast = rng.uniform(0.0, 0.8)
    curve = (1 - contrast) * value + contrast * (3 * value**2 - 2 * value**3)
    tint = rng.normal(0, 0.05, (2, 3))
    curve = curve ** rng.uniform(0.62, 1.0) + tint[0] * (1 - value) * value * 2 + tint[1] * value
    lift = rng.uniform(0, 0.06)
    curves = np.clip(255 * (lift + (1 - lift) * curve), 0, 255).astype(np.uint8)
    return Film(
        curves=np.ascontiguousarray(curves[None]),
        saturation=0.0 if rng.random() < 0.12 else float(rng.uniform(0.45, 1.1)),
        blur=float(rng.choice([0.0, 0.5, 0.7, 0.9, 1.3])),
        grain=float(rng.uniform(0.02, 0.14)),
        vignette=float(rng.uniform(0.0, 0.4)),
        bars=int(rng.choice([0, 0, 0, 8, 24, 48])),
        quality=int(rng.integers(70, 96)),
    )


@cache
def _grain() -> np.ndarray:
    return np.random.default_rng(0).normal(128, 40, (NOISE_SIZE, NOISE_SIZE, 3)).clip(0, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def _vignette(strength: float) -> np.ndarray:
    """What is left of 255 where corners lose the share `strength`, (HEIGHT, WIDTH, 3) uint8."""
    y, x = np.linspace(-1, 1, HEIGHT)[:, None], np.linspace(-1, 1, WIDTH)[None, :]
    left = 255 * (1 - strength * ((x * x + y * y) / 2) ** 1.2)
    return cv2.cvtColor(left.astype(np.uint8), cv2.COLOR_GRAY2BGR)


def shoot(picture: np.ndarray, film: Film, rng: np.random.Generator) -> np.ndarray:
    """The picture, (HEIGHT, WIDTH, 3) uint8, as this film would show it."""
    out = cv2.multiply(picture, _vignette(film.vignette), scale=1 / 255)
    if film.blur:
        out = cv2.GaussianBlur(out, (0, 0), film.blur)
    out = cv2.LUT(out, film.curves)
    grey = np.array([0.114, 0.587, 0.299])
    out = cv2.transform(out, film.saturation * np.eye(3) + (1 - film.saturation) * grey)
    y, x = rng.integers(NOISE_SIZE - HEIGHT), rng.integers(NOISE_SIZE - WIDTH)
    grain = _grain()[y : y + HEIGHT, x : x + WIDTH]
    if film.saturation == 0:
        grain = cv2.cvtColor(grain[..., 0], cv2.COLOR_GRAY2BGR)
    out = cv2.addWeighted(out, 1, grain, film.grain, -128 * film.grain)
    if film.bars:
        out[: film.bars] = out[-film.bars :] = 2
    return out
