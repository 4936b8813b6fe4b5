"""Light on round things: Lambert's law on made-up surface normals."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Light:
    """Direction of the key light (unit vector: right, down, to the camera) and what shadows keep of it."""

    right: float
    down: float
    front: float
    ambient: float


def draw(rng: np.random.Generator) -> Light:
    """A key light from above, from one side or near the camera."""
    side, height = rng.uniform(-0.8, 0.8), rng.uniform(0.05, 0.6)
    vector = np.array([side, -height, rng.uniform(0.55, 1.0)])
    right, down, front = vector / np.linalg.norm(vector)
    return Light(float(right), float(down), float(front), float(rng.uniform(0.34, 0.6)))


def brightness(light: Light, right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Light in 0-1 that a surface sends back whose normals' picture components are `right` and `down`."""
    front = np.sqrt(np.maximum(1 - right * right - down * down, 0))
    facing = np.maximum(light.right * right + light.down * down + light.front * front, 0)
    return np.minimum(light.ambient + (1.12 - light.ambient) * facing, 1).astype(np.float32)


def lit(colour: tuple[float, ...], bright: np.ndarray) -> np.ndarray:
    """One colour under brightness (h, w) in 0-1, (h, w, 3) uint8."""
    return cv2.merge([cv2.convertScaleAbs(bright, alpha=value) for value in colour])
