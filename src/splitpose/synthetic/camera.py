"""Film styles: colour, contrast, lens, grain and compression that all images of a film share."""

from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np

from splitpose.synthetic.canvas import NOISE_SIZE
from splitpose.synthetic.poses import HEIGHT, WIDTH


@dataclass(frozen=True)
class FilmStyle:
    """The style that the images of one film share."""

    curves: np.ndarray
    """Tone curves of the three channels, (1, 256, 3) uint8."""
    saturation: float
    blur: float
    """Standard deviation of the lens blur, px."""
    grain: float
    """Strength of the grain, 0-1."""
    vignette: float
    """Fraction of light lost in the corners."""
    bars: int
    """Height of each of the two black bars, px."""
    quality: int
    """JPEG quality, 0-100."""

    def visible_rows(self) -> tuple[int, int]:
        """Return the first row below the upper black bar and the first row of the lower one."""
        return self.bars, HEIGHT - self.bars


def sample_film_style(rng: np.random.Generator) -> FilmStyle:
    """Sample a film style; about one in eight is black and white."""
    value = np.linspace(0, 1, 256)[:, None]
    contrast = rng.uniform(0.0, 0.8)
    curve = (1 - contrast) * value + contrast * (3 * value**2 - 2 * value**3)
    tint = rng.normal(0, 0.05, (2, 3))
    curve = curve ** rng.uniform(0.62, 1.0) + tint[0] * (1 - value) * value * 2 + tint[1] * value
    lift = rng.uniform(0, 0.06)
    curves = np.clip(255 * (lift + (1 - lift) * curve), 0, 255).astype(np.uint8)
    return FilmStyle(
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
    """Return film grain around 128, (NOISE_SIZE, NOISE_SIZE, 3) uint8."""
    return np.random.default_rng(0).normal(128, 40, (NOISE_SIZE, NOISE_SIZE, 3)).clip(0, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def _vignette(strength: float) -> np.ndarray:
    """Return the light in 0-255, (HEIGHT, WIDTH, 3) uint8; the corners lose the fraction `strength`."""
    y, x = np.linspace(-1, 1, HEIGHT)[:, None], np.linspace(-1, 1, WIDTH)[None, :]
    light = 255 * (1 - strength * ((x * x + y * y) / 2) ** 1.2)
    vignette: np.ndarray = cv2.cvtColor(light.astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return vignette


def apply_film_style(image: np.ndarray, style: FilmStyle, rng: np.random.Generator) -> np.ndarray:
    """Return the image, (HEIGHT, WIDTH, 3) uint8, with a film style applied."""
    out: np.ndarray = cv2.multiply(image, _vignette(style.vignette), scale=1 / 255)
    if style.blur:
        out = cv2.GaussianBlur(out, (0, 0), style.blur)
    out = cv2.LUT(out, style.curves)
    grey = np.array([0.114, 0.587, 0.299])
    out = cv2.transform(out, style.saturation * np.eye(3) + (1 - style.saturation) * grey)
    y, x = rng.integers(NOISE_SIZE - HEIGHT), rng.integers(NOISE_SIZE - WIDTH)
    grain = _grain()[y : y + HEIGHT, x : x + WIDTH]
    if style.saturation == 0:
        grain = cv2.cvtColor(grain[..., 0], cv2.COLOR_GRAY2BGR)
    out = cv2.addWeighted(out, 1, grain, style.grain, -128 * style.grain)
    if style.bars:
        out[: style.bars] = out[-style.bars :] = 2
    return out
