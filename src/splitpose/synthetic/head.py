"""Drawing of the head: face, hair, hat and glasses around the annotated eyes and nose.

The head is drawn upright on a layer in head heights (origin between the eyes, x right, y down) with a higher
resolution than the image, and then warped so that eyes and nose are at the annotated positions.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from splitpose.synthetic import lighting
from splitpose.synthetic.appearance import Appearance, Colour, scale_colour
from splitpose.synthetic.canvas import (
    Canvas,
    apply_shading,
    catmull_rom,
    draw_line,
    fill_ellipse,
    fill_polygon,
    noise_texture,
)
from splitpose.synthetic.lighting import Light

HEIGHT = 0.45
"""Head height in torso units, chin to crown."""

HALF_SIDE = 0.85
"""Half side of the square layer of the head, head heights."""

SUPERSAMPLING = 1.6
"""Pixels of the layer per pixel of the image."""

MAX_LAYER_SIDE = 220
"""Largest side of the layer, px."""


HAIRLINES: dict[str, list[tuple[float, float]]] = {
    "short": [
        (-0.355, 0.06), (-0.375, -0.2), (-0.29, -0.44), (-0.1, -0.53), (0.1, -0.53), (0.29, -0.44),
        (0.375, -0.2), (0.355, 0.06), (0.33, -0.08), (0.29, -0.27), (0.15, -0.33), (-0.15, -0.34),
        (-0.29, -0.27), (-0.33, -0.08),
    ],
    "side": [
        (-0.36, 0.06), (-0.39, -0.2), (-0.32, -0.45), (0, -0.6), (0.32, -0.47), (0.39, -0.2), (0.36, 0.06),
        (0.32, -0.08), (0.29, -0.26), (0.22, -0.36), (-0.2, -0.22), (-0.29, -0.22), (-0.32, -0.08),
    ],
    "bun": [
        (-0.35, 0.02), (-0.38, -0.2), (-0.28, -0.46), (0, -0.56), (0.28, -0.46), (0.38, -0.2), (0.35, 0.02),
        (0.31, -0.12), (0.2, -0.33), (0.0, -0.38), (-0.2, -0.33), (-0.31, -0.12),
    ],
    "curly": [
        (-0.4, 0.1), (-0.47, -0.2), (-0.38, -0.5), (-0.18, -0.64), (0.05, -0.67), (0.25, -0.62),
        (0.42, -0.45), (0.47, -0.2), (0.4, 0.1), (0.33, -0.05),
        (0.28, -0.24), (0.1, -0.3), (-0.1, -0.28), (-0.28, -0.24),
        (-0.33, -0.05),
    ],
    "bob": [
        (-0.42, 0.42), (-0.45, 0.1), (-0.4, -0.3), (-0.2, -0.53), (0, -0.58), (0.2, -0.53), (0.4, -0.3),
        (0.45, 0.1), (0.42, 0.42), (0.34, 0.36), (0.31, 0.1), (0.27, -0.15), (0.1, -0.4),
        (-0.27, -0.15), (-0.31, 0.1),
        (-0.34, 0.36),
    ],
    "long": [
        (-0.42, 0.62), (-0.45, 0.1), (-0.4, -0.3), (-0.2, -0.53), (0, -0.58), (0.2, -0.53), (0.4, -0.3),
        (0.45, 0.1), (0.42, 0.62), (0.34, 0.56), (0.31, 0.1), (0.27, -0.15), (0.1, -0.4),
        (-0.27, -0.15), (-0.31, 0.1),
        (-0.34, 0.56),
    ],
}  # fmt: skip
"""Outlines of the hair in front of the head, in head heights; parted on the right of the image."""


@dataclass(frozen=True)
class Head:
    """Position and orientation of a head."""

    eyes: np.ndarray
    """Midpoint of the eyes in the image, (2,) px."""
    height: float
    """Head height, px."""
    roll: float
    """Radians, clockwise."""
    yaw: float
    """Sine of the yaw angle; positive if the head faces the right of the image."""
    gap: float
    """Half the distance between the eyes, head heights."""
    nose: np.ndarray
    """Position of the nose, (2,) head heights."""

    def chin(self) -> np.ndarray:
        """Return the position of the chin in the image, (2,) px."""
        return self.to_image(np.array([-0.02 * self.yaw, 0.5]))

    def to_image(self, point: np.ndarray) -> np.ndarray:
        """Convert a point (2,) from head heights to image px."""
        c, s = np.cos(self.roll), np.sin(self.roll)
        offset = np.array([c * point[0] - s * point[1], s * point[0] + c * point[1]])
        position: np.ndarray = self.eyes + self.height * offset
        return position


def fit_head(joints: dict[str, np.ndarray], unit: float) -> Head:
    """Return the head whose eyes and nose are at the given joints; `unit` is the torso diameter in px."""
    across = joints["leye"] - joints["reye"]
    middle = (joints["leye"] + joints["reye"]) / 2
    roll = float(np.arctan2(across[1], across[0]))
    distance = float(np.linalg.norm(across))
    height = HEIGHT * unit * float(np.clip(distance / (0.107 * unit), 0.7, 1.35)) ** 0.35
    c, s = np.cos(roll), np.sin(roll)
    dx, dy = (joints["nose"] - middle) / height
    nose = np.array([c * dx + s * dy, -s * dx + c * dy])
    return Head(middle, height, roll, float(np.clip(nose[0] / 0.16, -0.75, 0.75)), distance / height / 2, nose)


class _HeadLayer:
    """The square layer of a head: colour (side, side, 3) uint8 and coverage (side, side) uint8."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.scale = side / (2 * HALF_SIDE)
        self.colour = np.zeros((side, side, 3), np.uint8)
        self.coverage = np.zeros((side, side), np.uint8)
        axis = (np.arange(side, dtype=np.float32) + 0.5) / self.scale - HALF_SIDE
        self.x, self.y = axis[None, :], axis[:, None]

    def px(self, points: np.ndarray) -> np.ndarray:
        """Convert points (..., 2) from head heights to layer px."""
        pixels: np.ndarray = (np.asarray(points) + HALF_SIDE) * self.scale - 0.5
        return pixels

    def mask(self, points: np.ndarray) -> np.ndarray:
        """Return the mask (side, side) uint8 of a polygon in head heights."""
        out = np.zeros((self.side, self.side), np.uint8)
        fill_polygon(out, self.px(points), (255,))
        return out

    def blend(self, colour: np.ndarray, mask: np.ndarray) -> None:
        """Blend `colour` (side, side, 3) over the layer with `mask` (side, side) uint8."""
        # Uncovered pixels take the full colour, so that the black background does not show at the edges.
        new = np.where(self.coverage == 0, 255, mask).astype(np.float32) * np.float32(1 / 255)
        self.colour = cv2.blendLinear(colour, self.colour, new, 1 - new)
        self.coverage = np.maximum(self.coverage, mask)

    def fill(self, colour: Colour) -> np.ndarray:
        """Return an array of the layer's size with one colour."""
        return np.full((self.side, self.side, 3), colour, np.uint8)


def draw_back_hair(canvas: Canvas, head: Head, appearance: Appearance, light: Light) -> None:
    """Draw the hair behind neck and shoulders; must be called before the torso is drawn."""
    if appearance.hair_style not in ("long", "bob", "curly"):
        return
    layer = _HeadLayer(round(2 * HALF_SIDE * head.height))
    cx = -0.13 * head.yaw
    low = {"long": 0.8, "bob": 0.45, "curly": 0.4}[appearance.hair_style]
    wide = {"long": 0.4, "bob": 0.44, "curly": 0.5}[appearance.hair_style]
    half = [
        (0.2, -0.52),
        (wide, -0.2),
        (wide + 0.03, 0.15),
        (wide + 0.02, low * 0.7),
        (wide - 0.08, low),
        (0, low * 0.95),
    ]
    shape = np.array([(cx + x, y) for x, y in half] + [(cx - x, y) for x, y in reversed(half)])
    layer.blend(_hair_colour(layer, appearance, light, cx, 0.7), layer.mask(catmull_rom(shape, closed=True)))
    _composite(canvas, head, layer)


def draw_head(canvas: Canvas, head: Head, appearance: Appearance, light: Light) -> None:
    """Draw the head with face, hair, hat and glasses."""
    layer = _HeadLayer(min(round(2 * HALF_SIDE * head.height * SUPERSAMPLING), MAX_LAYER_SIDE))
    yaw = head.yaw
    cx = -0.13 * yaw
    jaw = 0.21 if appearance.woman else 0.25
    side = [
        (0.16, -0.47),
        (0.3, -0.32),
        (0.345, -0.1),
        (0.335, 0.12),
        (jaw + 0.06, 0.3),
        (jaw - 0.06, 0.44),
        (0.07, 0.5),
    ]
    face = catmull_rom(
        np.array(
            [(cx + x + yaw * 0.11 * max(y, 0) / 0.5, y) for x, y in side]
            + [(cx - x + yaw * 0.11 * max(y, 0) / 0.5, y) for x, y in reversed(side)]
        ),
        closed=True,
        steps=5,
    )
    _draw_ears(layer, appearance, cx, yaw)
    right = np.clip((layer.x - cx) / 0.37, -1, 1)
    down = np.clip((layer.y - 0.0) / 0.56, -1, 1)
    shading = lighting.lambert_shading(
        light, 0.95 * right * np.abs(right), 0.75 * down * np.abs(down) * np.sqrt(1 - 0.8 * right**2)
    )
    shading = shading * _face_shading(layer, head, appearance)
    layer.blend(apply_shading(_skin_colour(layer, head, appearance), np.minimum(shading, 1)), layer.mask(face))
    _draw_features(layer, head, appearance)
    _draw_front_hair(layer, appearance, light, cx, yaw)
    if appearance.glasses:
        _draw_glasses(layer, head.gap)
    _composite(canvas, head, layer)


def _draw_ears(layer: _HeadLayer, appearance: Appearance, cx: float, yaw: float) -> None:
    """Draw the ears that the head does not hide; `cx` is the centre of the face."""
    for side in (-1, 1):
        x = cx + side * 0.345 * np.sqrt(1 - 0.5 * yaw * yaw) - 0.12 * yaw
        if side * yaw > 0.35:
            continue
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        ear = np.stack([x + 0.05 * np.cos(turn), 0.06 + 0.1 * np.sin(turn)], axis=1)
        layer.blend(layer.fill(scale_colour(appearance.skin, 0.82)), layer.mask(ear))


def _draw_glasses(layer: _HeadLayer, gap: float) -> None:
    """Draw glasses with the centres of the lenses at -gap and gap."""
    colour, width = (30, 30, 34), 0.014 * layer.scale
    for side in (-1, 1):
        turn = np.linspace(0, 2 * np.pi, 20)
        lens = np.stack([side * gap + 0.11 * gap / 0.12 * np.cos(turn), 0.015 + 0.085 * np.sin(turn)], axis=1)
        draw_line(layer.colour, layer.px(lens), colour, width)
    draw_line(layer.colour, layer.px(np.array([(-0.25 * gap, 0), (0.25 * gap, 0)])), colour, width)


def _face_shading(layer: _HeadLayer, head: Head, appearance: Appearance) -> np.ndarray:
    """Return the shading of eye sockets, nose, mouth and cheeks, (side, side) float32 in 0-1.05."""

    def bump(x: float, y: float, rx: float, ry: float) -> np.ndarray:
        gaussian: np.ndarray = np.exp(-(((layer.x - x) / rx) ** 2)) * np.exp(-(((layer.y - y) / ry) ** 2))
        return gaussian

    nx, ny = head.nose
    out = 1 - 0.3 * bump(-head.gap, -0.02, 0.085, 0.055) - 0.3 * bump(head.gap, -0.02, 0.085, 0.055)
    out -= 0.28 * bump(nx, ny + 0.055, 0.065, 0.022)
    out -= 0.16 * bump(0.5 * nx - 0.05, 0.5 * ny, 0.022, 0.07) * (1 if head.yaw > -0.2 else 0)
    out += 0.08 * bump(nx, ny - 0.01, 0.035, 0.04)
    out -= 0.18 * bump(0.6 * nx, ny + 0.215, 0.08, 0.02)
    shading: np.ndarray = out.astype(np.float32)
    return shading


def _skin_colour(layer: _HeadLayer, head: Head, appearance: Appearance) -> np.ndarray:
    """Return the skin with beard, (side, side, 3) uint8."""
    colour = layer.fill(appearance.skin)
    if appearance.beard in ("stubble", "full"):
        x, y = layer.x - 0.5 * head.nose[0], layer.y
        edge = 0.24 + 0.0 * x - 0.9 * np.clip(np.abs(x) - 0.17, 0, 1)
        weight = np.clip((y - edge) / 0.05, 0, 1) * (0.35 if appearance.beard == "stubble" else 0.92)
        weight = weight.astype(np.float32)
        colour = cv2.blendLinear(layer.fill(appearance.hair), colour, weight, 1 - weight)
    return colour


def _draw_features(layer: _HeadLayer, head: Head, appearance: Appearance) -> None:
    """Draw brows, eyes, nose and mouth."""
    image, scale, px = layer.colour, layer.scale, layer.px
    gap, yaw, (nx, ny) = head.gap, head.yaw, head.nose
    skin = np.array(appearance.skin)
    dark = tuple(0.42 * skin)
    brow: Colour = tuple(0.75 * np.array(appearance.hair) + 0.1 * skin)
    squeeze = gap / 0.12
    for side in (-1, 1):
        ex = side * gap
        w = 0.066 * squeeze * (1 - 0.2 * side * yaw)
        lid = np.array(
            [
                (ex - w, 0.008),
                (ex - 0.5 * w, -0.026),
                (ex + 0.5 * w, -0.026),
                (ex + w, 0.008),
                (ex + 0.4 * w, 0.026),
                (ex - 0.4 * w, 0.026),
            ]
        )
        fill_polygon(image, px(catmull_rom(lid, closed=True, steps=3)), tuple(np.minimum(0.35 * skin + 150, 238)))
        fill_ellipse(
            image,
            tuple(px(np.array([ex + 0.015 * yaw, 0.0]))),
            (0.027 * scale, 0.027 * scale),
            (46, 48, 56),
        )
        fill_ellipse(
            image,
            tuple(px(np.array([ex + 0.012, -0.013]))),
            (0.007 * scale, 0.007 * scale),
            (230, 230, 230),
        )
        draw_line(
            image,
            px(catmull_rom(lid[:4], steps=3)),
            (34, 36, 44) if appearance.woman else dark,
            (0.02 if appearance.woman else 0.013) * scale,
        )
        arch = np.array(
            [(ex - side * 0.7 * w, -0.075), (ex + side * 0.3 * w, -0.1), (ex + side * 1.25 * w, -0.075)]
        )
        draw_line(image, px(catmull_rom(arch, steps=4)), brow, (0.018 if appearance.woman else 0.03) * scale)
    shadow_side = -1 if yaw > 0 else 1
    draw_line(
        image,
        px(
            catmull_rom(
                np.array(
                    [
                        (nx + shadow_side * 0.012 - 0.3 * nx, 0.02),
                        (nx + shadow_side * 0.03, ny - 0.03),
                        (nx + shadow_side * 0.055, ny + 0.025),
                        (nx + shadow_side * 0.02, ny + 0.045),
                    ]
                )
            )
        ),
        tuple(0.72 * skin),
        0.013 * scale,
    )
    for side in (-1, 1):
        fill_ellipse(
            image, tuple(px(np.array([nx + side * 0.026, ny + 0.04]))), (0.013 * scale, 0.008 * scale), dark
        )
    mx, my, half = 0.7 * nx, ny + 0.15, 0.085 * squeeze**0.5
    lip = tuple(np.array([0.62, 0.6, 0.88]) * skin if appearance.woman else np.array([0.7, 0.68, 0.84]) * skin)
    smile = 0.03 * appearance.mouth
    corners = [(mx - half, my - smile), (mx + half, my - smile)]
    upper = [(mx + 0.35 * half, my - 0.022), (mx, my - 0.014), (mx - 0.35 * half, my - 0.022)]
    lower = [(mx - 0.4 * half, my + 0.032 + smile / 2), (mx + 0.4 * half, my + 0.032 + smile / 2)]
    fill_polygon(
        image, px(catmull_rom(np.array([corners[0], *lower, corners[1], *upper]), closed=True, steps=3)), lip
    )
    line = catmull_rom(np.array([corners[0], (mx, my + smile / 2), corners[1]]))
    draw_line(image, px(line), tuple(0.35 * skin), 0.012 * scale)
    if appearance.mouth > 0.75:
        fill_polygon(
            image,
            px(np.array([(mx - 0.6 * half, my - 0.01), (mx + 0.6 * half, my - 0.01), (mx, my + 0.02 + smile / 2)])),
            (214, 222, 226),
        )
    if appearance.beard in ("moustache", "full"):
        draw_line(
            image,
            px(catmull_rom(np.array([(mx - half, my), (mx, my - 0.045), (mx + half, my)]))),
            appearance.hair,
            0.045 * scale,
        )


def _hair_colour(layer: _HeadLayer, appearance: Appearance, light: Light, cx: float, dim: float) -> np.ndarray:
    """Return the hair colour with strands and shading, (side, side, 3) uint8."""
    strands = cv2.resize(noise_texture(3)[:24, : layer.side // 2], (layer.side, layer.side)).astype(np.float32)
    right, down = np.clip((layer.x - cx) / 0.5, -1, 1), np.clip((layer.y + 0.05) / 0.6, -1, 1)
    shading = lighting.lambert_shading(light, 0.9 * right, 0.8 * down * np.sqrt(1 - 0.8 * right**2))
    shading = shading * (dim + (strands - 128) * 0.0035)
    return apply_shading(layer.fill(appearance.hair), np.clip(shading, 0, 1).astype(np.float32))


def _draw_front_hair(layer: _HeadLayer, appearance: Appearance, light: Light, cx: float, yaw: float) -> None:
    """Draw the hair in front of the head, or a hat."""
    style, s = appearance.hair_style, appearance.hair_side
    if style == "bald":
        return
    if style == "hat":
        _draw_hat(layer, appearance, light, cx, yaw)
        return
    if style == "bun":
        turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        bun = np.stack([cx - 0.1 * yaw + 0.17 * np.cos(turn), -0.62 + 0.15 * np.sin(turn)], axis=1)
        layer.blend(_hair_colour(layer, appearance, light, cx, 0.8), layer.mask(bun))
    outline = catmull_rom(
        np.array([(cx + s * x + (0.05 * yaw if y < 0 else 0), y) for x, y in HAIRLINES[style]]),
        closed=True,
        steps=4,
    )
    if style == "curly":
        curls = 0.022 * np.sin(np.arange(len(outline)) * 1.9)
        outline = outline + curls[:, None] * outline / np.linalg.norm(outline, axis=1, keepdims=True)
    layer.blend(_hair_colour(layer, appearance, light, cx, 0.95), layer.mask(outline))


def _draw_hat(layer: _HeadLayer, appearance: Appearance, light: Light, cx: float, yaw: float) -> None:
    """Draw a hat with a brim, and the hair at the sides below it."""
    crown = catmull_rom(
        np.array(
            [
                (cx - 0.37, -0.22),
                (cx - 0.34, -0.6),
                (cx - 0.05, -0.7),
                (cx + 0.05, -0.7),
                (cx + 0.34, -0.6),
                (cx + 0.37, -0.22),
            ]
        )
    )
    cloth = layer.fill(scale_colour(appearance.legs, 0.8))
    right = np.clip((layer.x - cx) / 0.45, -1, 1) + 0 * layer.y
    shaded = apply_shading(cloth, lighting.lambert_shading(light, 0.9 * right, 0 * right - 0.2))
    side_hair = np.array(
        [
            (cx - 0.36, -0.3),
            (cx + 0.36, -0.3),
            (cx + 0.36, 0.05),
            (cx + 0.31, 0.05),
            (cx + 0.31, -0.15),
            (cx - 0.31, -0.15),
            (cx - 0.31, 0.05),
            (cx - 0.36, 0.05),
        ]
    )
    layer.blend(_hair_colour(layer, appearance, light, cx, 0.9), layer.mask(side_hair))
    layer.blend(shaded, layer.mask(crown))
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    brim = np.stack([cx + 0.06 * yaw + 0.56 * np.cos(turn), -0.22 + 0.075 * np.sin(turn)], axis=1)
    layer.blend(apply_shading(shaded, np.full(shaded.shape[:2], 0.75, np.float32)), layer.mask(brim))


def _composite(canvas: Canvas, head: Head, layer: _HeadLayer) -> None:
    """Rotate the head's layer by its roll and blend it over the image."""
    c, s = np.cos(head.roll), np.sin(head.roll)
    scale = head.height / layer.scale
    reach = HALF_SIDE * head.height * (abs(c) + abs(s))
    low = np.floor(head.eyes - reach).astype(int)
    side = int(np.ceil(2 * reach)) + 1
    turn = scale * np.array([[c, -s], [s, c]])
    origin = head.eyes - low - turn @ np.full(2, layer.side / 2 - 0.5)
    matrix = np.column_stack([turn, origin])
    colour = cv2.warpAffine(
        layer.colour, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    coverage = cv2.warpAffine(layer.coverage, matrix, (side, side), flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    canvas.blend(colour, coverage, int(low[0]), int(low[1]))
