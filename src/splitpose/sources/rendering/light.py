"""Light on round things: Lambert's law on made-up surface normals."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Light:
    """Where the key light stands (unit vector towards it: right, down, to the camera) and how dark shadows are."""

    right: float
    down: float
    front: float
    ambient: float


def draw(rng: np.random.Generator) -> Light:
    """A key light from above, from one side or near the camera."""
    side, height = rng.uniform(-0.85, 0.85), rng.uniform(0.1, 0.7)
    vector = np.array([side, -height, rng.uniform(0.55, 1.0)])
    right, down, front = vector / np.linalg.norm(vector)
    return Light(float(right), float(down), float(front), float(rng.uniform(0.3, 0.55)))


def brightness(light: Light, right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Light in 0-1 that a surface sends back whose normals' picture components are `right` and `down`."""
    front = np.sqrt(np.maximum(1 - right * right - down * down, 0))
    facing = np.maximum(light.right * right + light.down * down + light.front * front, 0)
    return np.minimum(light.ambient + (1.06 - light.ambient) * facing, 1).astype(np.float32)


def lit(colour: np.ndarray, bright: np.ndarray) -> np.ndarray:
    """`colour` (h, w, 3) uint8 under brightness (h, w) in 0-1."""
    return cv2.blendLinear(colour, np.zeros_like(colour), bright, 1 - bright)
