"""Lambertian shading with approximate surface normals."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Light:
    """A directional key light and ambient light; (right, down, front) is a unit vector towards the light."""

    right: float
    down: float
    front: float
    ambient: float
    """Brightness of surfaces that face away from the key light, 0-1."""


def sample_light(rng: np.random.Generator) -> Light:
    """Sample a key light from above, from one side or near the camera."""
    side, height = rng.uniform(-0.8, 0.8), rng.uniform(0.05, 0.6)
    vector = np.array([side, -height, rng.uniform(0.55, 1.0)])
    right, down, front = vector / np.linalg.norm(vector)
    return Light(float(right), float(down), float(front), float(rng.uniform(0.34, 0.6)))


def lambert_shading(light: Light, right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Return the shading, float32 in 0-1, of surfaces with the normal components `right` and `down`."""
    front = np.sqrt(np.maximum(1 - right * right - down * down, 0))
    facing = np.maximum(light.right * right + light.down * down + light.front * front, 0)
    shading: np.ndarray = np.minimum(light.ambient + (1.12 - light.ambient) * facing, 1).astype(np.float32)
    return shading


def shade_colour(colour: tuple[float, ...], shading: np.ndarray) -> np.ndarray:
    """Return one colour with the given shading (h, w) in 0-1, as (h, w, 3) uint8."""
    shaded: np.ndarray = cv2.merge([cv2.convertScaleAbs(shading, alpha=value) for value in colour])
    return shaded
