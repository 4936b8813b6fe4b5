"""Drawing of the torso with its clothes.

The torso is drawn flat, in torso units around the middle of the shoulders, then warped onto its joints.
"""

import cv2
import numpy as np

from splitpose.synthetic import lighting
from splitpose.synthetic.appearance import CLOTH_SCALE, Appearance, sample_cloth
from splitpose.synthetic.canvas import Canvas, apply_shading, catmull_rom, fill_polygon, noise_texture
from splitpose.synthetic.garments import FlatTorso, draw_garment
from splitpose.synthetic.lighting import Light

SHOULDER, HIP, HEIGHT = 0.31, 0.257, 0.81
"""Horizontal position of shoulders and hips, and height of the torso, torso units."""

LEFT, RIGHT, TOP, BOTTOM = -0.5, 0.5, -0.2, 1.12
"""Edges of the flat torso's image, torso units."""

OUTLINE = np.array([
    (-0.16, 0.08), (-0.11, 0.105), (-0.085, 0.17), (-0.06, 0.25), (-0.02, 0.325), (0.05, 0.362),
    (0.14, 0.352),
    (0.25, 0.33), (0.4, 0.305), (0.52, 0.295), (0.66, 0.305), (0.81, 0.335), (0.95, 0.35), (1.1, 0.352),
])  # fmt: skip
"""Outline of a man's torso: height (first column) and half width (second column), torso units."""

HEMS = {"tee": 0.95, "sweater": 0.96, "jacket": 0.98, "suit": 1.1, "dress": 1.0, "shirt": 0.88}
"""Height of the hem of each outfit, torso units."""


def draw_torso(
    canvas: Canvas, joints: dict[str, np.ndarray], unit: float, appearance: Appearance, light: Light, folds: int
) -> None:
    """Draw the torso from the neck to the hem, with folds from the noise texture at the offset `folds`."""
    scale = float(np.clip(unit, 90, 200))
    width, height = round((RIGHT - LEFT) * scale), round((BOTTOM - TOP) * scale)
    step = CLOTH_SCALE / scale
    cloth = sample_cloth(appearance.cloth, np.arange(width)[None, :] * step, np.arange(height)[:, None] * step)
    flat = FlatTorso(cloth, LEFT, TOP, scale, appearance)
    draw_garment(flat)

    right_side = _right_side(appearance)
    colour = apply_shading(flat.image, _shading(right_side, (height, width), scale, appearance, light, folds))
    mask = np.zeros((height, width), np.uint8)
    outline = np.concatenate([right_side, right_side[::-1] * [-1, 1]])
    fill_polygon(mask, flat.px([(x, y) for x, y in outline]), (255,))
    corners = flat.px([(SHOULDER, 0), (-SHOULDER, 0), (HIP, HEIGHT), (-HIP, HEIGHT)]).astype(np.float32)
    _warp(canvas, joints, unit, colour, mask, corners)


def _right_side(appearance: Appearance) -> np.ndarray:
    """Return the outline of the right half of the clothed torso, (N, 2) x and y in torso units."""
    profile = OUTLINE[OUTLINE[:, 0] < HEMS[appearance.outfit]]
    waist = 1 - (0.14 if appearance.woman else 0.03) * np.exp(-(((profile[:, 0] - 0.5) / 0.18) ** 2))
    half = profile[:, 1] * np.where(profile[:, 0] < 0.2, 1, appearance.build) * waist + appearance.looseness * (
        profile[:, 0] > 0
    )
    return catmull_rom(np.stack([half, profile[:, 0]], axis=1), steps=4)


def _shading(
    right_side: np.ndarray, size: tuple[int, int], scale: float, appearance: Appearance, light: Light, folds: int
) -> np.ndarray:
    """Return the shading of a round torso with folds, `size` (height, width) float32."""
    height, width = size
    x = ((np.arange(width) / scale + LEFT)[None, :]).astype(np.float32)
    y = ((np.arange(height) / scale + TOP)[:, None]).astype(np.float32)
    u = np.clip(x / np.interp(y, right_side[:, 1], right_side[:, 0]).astype(np.float32), -1, 1)
    relief = noise_texture(6)[folds : folds + height + 3, folds : folds + width + 3].astype(np.float32)
    slant = (relief[3:, 3:] - relief[:-3, :-3]) * np.float32(0.011)
    right = np.clip(0.9 * u * np.abs(u) + slant, -1, 1)
    down = np.clip(
        -0.75 * np.exp(-(((y + 0.12) / 0.1) ** 2)) + 0.25 * np.sin((y - 0.18) * 6) * (appearance.woman + 0.35),
        -0.8,
        0.8,
    )
    return lighting.lambert_shading(light, right, down + 0.3 * slant)


def _warp(
    canvas: Canvas,
    joints: dict[str, np.ndarray],
    unit: float,
    colour: np.ndarray,
    mask: np.ndarray,
    corners: np.ndarray,
) -> None:
    """Blend the flat torso over the image so that its `corners` (4, 2) are at shoulders and hips."""
    targets = np.stack([joints[name] for name in ("lsho", "rsho", "lhip", "rhip")])
    rows, columns = canvas.coverage.shape
    low = np.maximum(np.floor(targets.min(axis=0) - 0.4 * unit), 0).astype(int)
    high = np.minimum(np.ceil(targets.max(axis=0) + 0.45 * unit), [columns, rows]).astype(int)
    matrix = cv2.getPerspectiveTransform(corners, (targets - low).astype(np.float32))
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    coverage = cv2.warpPerspective(mask, matrix, size).astype(np.float32) / 255
    warped = cv2.warpPerspective(colour, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    canvas.blend(warped, coverage, int(low[0]), int(low[1]))
