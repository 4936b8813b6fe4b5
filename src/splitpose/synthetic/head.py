"""The head: hair, face and what it wears, painted around the annotated eyes and nose.

It is painted upright in head heights (origin between the eyes, x right, y down), twice as fine as the
picture, then turned and set down so that eyes and nose lie where the annotation says.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from splitpose.synthetic import lighting
from splitpose.synthetic.appearance import Colour, Look
from splitpose.synthetic.lighting import Light
from splitpose.synthetic.paint import Canvas, darkened, ellipse, noise, polygon, smooth, stroke

HEIGHT = 0.45
"""Head height in torso units, chin to crown."""

HALF = 0.85
"""Half side of the square that the head is painted on, head heights."""

FINE, LARGEST = 1.6, 220
"""Pixels of that square to a pixel of the picture, and the most of them along a side."""


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
"""Outlines of the hair before the face, head heights; parted on the right of the picture."""


@dataclass(frozen=True)
class Head:
    """Where the head is and how it is turned."""

    eyes: np.ndarray
    """Point between the eyes, px."""
    height: float
    """px"""
    roll: float
    """Radians, clockwise."""
    yaw: float
    """Sine of the turn; > 0 looks to the right of the picture."""
    gap: float
    """Half the distance of the eyes, head heights."""
    nose: np.ndarray
    """Nose in head heights, (2,)."""

    def chin(self) -> np.ndarray:
        """The chin in px."""
        return self.to_picture(np.array([-0.02 * self.yaw, 0.5]))

    def to_picture(self, point: np.ndarray) -> np.ndarray:
        """Head heights to px, (2,)."""
        c, s = np.cos(self.roll), np.sin(self.roll)
        return self.eyes + self.height * np.array([c * point[0] - s * point[1], s * point[0] + c * point[1]])


def pose(joints: dict[str, np.ndarray], unit: float) -> Head:
    """The head that has its eyes and nose at the joints."""
    across = joints["leye"] - joints["reye"]
    middle = (joints["leye"] + joints["reye"]) / 2
    roll = float(np.arctan2(across[1], across[0]))
    distance = float(np.linalg.norm(across))
    height = HEIGHT * unit * float(np.clip(distance / (0.107 * unit), 0.7, 1.35)) ** 0.35
    c, s = np.cos(roll), np.sin(roll)
    dx, dy = (joints["nose"] - middle) / height
    nose = np.array([c * dx + s * dy, -s * dx + c * dy])
    return Head(middle, height, roll, float(np.clip(nose[0] / 0.16, -0.75, 0.75)), distance / height / 2, nose)


class _Easel:
    """The square that a head is painted on: colour, and how much is covered."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.scale = side / (2 * HALF)
        self.colour = np.zeros((side, side, 3), np.uint8)
        self.cover = np.zeros((side, side), np.uint8)
        axis = (np.arange(side, dtype=np.float32) + 0.5) / self.scale - HALF
        self.x, self.y = axis[None, :], axis[:, None]

    def px(self, points: np.ndarray) -> np.ndarray:
        return (np.asarray(points) + HALF) * self.scale - 0.5

    def mask(self, points: np.ndarray) -> np.ndarray:
        out = np.zeros((self.side, self.side), np.uint8)
        polygon(out, self.px(points), (255,))
        return out

    def lay(self, colour: np.ndarray, mask: np.ndarray) -> None:
        # What nothing covers yet takes the colour whole, so that no black shines through at the rim.
        new = np.where(self.cover == 0, 255, mask).astype(np.float32) * np.float32(1 / 255)
        self.colour = cv2.blendLinear(colour, self.colour, new, 1 - new)
        self.cover = np.maximum(self.cover, mask)

    def plain(self, colour: Colour) -> np.ndarray:
        return np.full((self.side, self.side, 3), colour, np.uint8)


def back(canvas: Canvas, head: Head, look: Look, light: Light) -> None:
    """Hair that falls behind neck and shoulders; painted before the torso."""
    if look.hair_style not in ("long", "bob", "curly"):
        return
    easel = _Easel(round(2 * HALF * head.height))
    cx = -0.13 * head.yaw
    low = {"long": 0.8, "bob": 0.45, "curly": 0.4}[look.hair_style]
    wide = {"long": 0.4, "bob": 0.44, "curly": 0.5}[look.hair_style]
    half = [
        (0.2, -0.52),
        (wide, -0.2),
        (wide + 0.03, 0.15),
        (wide + 0.02, low * 0.7),
        (wide - 0.08, low),
        (0, low * 0.95),
    ]
    shape = np.array([(cx + x, y) for x, y in half] + [(cx - x, y) for x, y in reversed(half)])
    easel.lay(_hair(easel, look, light, cx, 0.7), easel.mask(smooth(shape, closed=True)))
    _set_down(canvas, head, easel)


def front(canvas: Canvas, head: Head, look: Look, light: Light) -> None:
    """The head itself."""
    easel = _Easel(min(round(2 * HALF * head.height * FINE), LARGEST))
    yaw, gap = head.yaw, head.gap
    cx = -0.13 * yaw
    jaw = 0.21 if look.woman else 0.25
    side = [
        (0.16, -0.47),
        (0.3, -0.32),
        (0.345, -0.1),
        (0.335, 0.12),
        (jaw + 0.06, 0.3),
        (jaw - 0.06, 0.44),
        (0.07, 0.5),
    ]
    face = smooth(
        np.array(
            [(cx + x + yaw * 0.11 * max(y, 0) / 0.5, y) for x, y in side]
            + [(cx - x + yaw * 0.11 * max(y, 0) / 0.5, y) for x, y in reversed(side)]
        ),
        closed=True,
        steps=5,
    )
    skin = look.skin
    for left in (-1, 1):
        x = cx + left * 0.345 * np.sqrt(1 - 0.5 * yaw * yaw) - 0.12 * yaw
        if left * yaw > 0.35:
            continue
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        ear = np.stack([x + 0.05 * np.cos(turn), 0.06 + 0.1 * np.sin(turn)], axis=1)
        easel.lay(easel.plain(tuple(0.82 * c for c in skin)), easel.mask(ear))
    right = np.clip((easel.x - cx) / 0.37, -1, 1)
    down = np.clip((easel.y - 0.0) / 0.56, -1, 1)
    bright = lighting.brightness(
        light, 0.95 * right * np.abs(right), 0.75 * down * np.abs(down) * np.sqrt(1 - 0.8 * right**2)
    )
    bright = bright * _relief(easel, head, look)
    easel.lay(darkened(_complexion(easel, head, look), np.minimum(bright, 1)), easel.mask(face))
    _features(easel, head, look)
    _top_hair(easel, look, light, cx, yaw)
    if look.glasses:
        for left in (-1, 1):
            turn = np.linspace(0, 2 * np.pi, 20)
            ring = np.stack([left * gap + 0.11 * gap / 0.12 * np.cos(turn), 0.015 + 0.085 * np.sin(turn)], axis=1)
            stroke(easel.colour, easel.px(ring), (30, 30, 34), 0.014 * easel.scale)
        stroke(
            easel.colour,
            easel.px(np.array([(-0.25 * gap, 0), (0.25 * gap, 0)])),
            (30, 30, 34),
            0.014 * easel.scale,
        )
    _set_down(canvas, head, easel)


def _relief(easel: _Easel, head: Head, look: Look) -> np.ndarray:
    """Soft shadows of eye sockets, nose, mouth and cheeks, (side, side) in 0-1.05."""

    def bump(x: float, y: float, rx: float, ry: float) -> np.ndarray:
        return np.exp(-(((easel.x - x) / rx) ** 2)) * np.exp(-(((easel.y - y) / ry) ** 2))

    nx, ny = head.nose
    out = 1 - 0.3 * bump(-head.gap, -0.02, 0.085, 0.055) - 0.3 * bump(head.gap, -0.02, 0.085, 0.055)
    out -= 0.28 * bump(nx, ny + 0.055, 0.065, 0.022)
    out -= 0.16 * bump(0.5 * nx - 0.05, 0.5 * ny, 0.022, 0.07) * (1 if head.yaw > -0.2 else 0)
    out += 0.08 * bump(nx, ny - 0.01, 0.035, 0.04)
    out -= 0.18 * bump(0.6 * nx, ny + 0.215, 0.08, 0.02)
    return out.astype(np.float32)


def _complexion(easel: _Easel, head: Head, look: Look) -> np.ndarray:
    """Skin with beard, (side, side, 3) uint8."""
    colour = easel.plain(look.skin)
    if look.beard in ("stubble", "full"):
        x, y = easel.x - 0.5 * head.nose[0], easel.y
        edge = 0.24 + 0.0 * x - 0.9 * np.clip(np.abs(x) - 0.17, 0, 1)
        weight = np.clip((y - edge) / 0.05, 0, 1) * (0.35 if look.beard == "stubble" else 0.92)
        weight = weight.astype(np.float32)
        colour = cv2.blendLinear(easel.plain(look.hair), colour, weight, 1 - weight)
    return colour


def _features(easel: _Easel, head: Head, look: Look) -> None:
    """Brows, eyes, nose and mouth."""
    picture, scale, px = easel.colour, easel.scale, easel.px
    gap, yaw, (nx, ny) = head.gap, head.yaw, head.nose
    skin = np.array(look.skin)
    dark = tuple(0.42 * skin)
    brow: Colour = tuple(0.75 * np.array(look.hair) + 0.1 * skin)
    squeeze = gap / 0.12
    for left in (-1, 1):
        ex = left * gap
        w = 0.066 * squeeze * (1 - 0.2 * left * yaw)
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
        polygon(picture, px(smooth(lid, closed=True, steps=3)), tuple(np.minimum(0.35 * skin + 150, 238)))
        ellipse(
            picture,
            tuple(px(np.array([ex + 0.015 * yaw, 0.0]))),
            (0.027 * scale, 0.027 * scale),
            (46, 48, 56),
        )
        ellipse(
            picture,
            tuple(px(np.array([ex + 0.012, -0.013]))),
            (0.007 * scale, 0.007 * scale),
            (230, 230, 230),
        )
        stroke(
            picture,
            px(smooth(lid[:4], steps=3)),
            (34, 36, 44) if look.woman else dark,
            (0.02 if look.woman else 0.013) * scale,
        )
        arch = np.array(
            [(ex - left * 0.7 * w, -0.075), (ex + left * 0.3 * w, -0.1), (ex + left * 1.25 * w, -0.075)]
        )
        stroke(picture, px(smooth(arch, steps=4)), brow, (0.018 if look.woman else 0.03) * scale)
    shadow_side = -1 if yaw > 0 else 1
    stroke(
        picture,
        px(
            smooth(
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
    for left in (-1, 1):
        ellipse(picture, tuple(px(np.array([nx + left * 0.026, ny + 0.04]))), (0.013 * scale, 0.008 * scale), dark)
    mx, my, half = 0.7 * nx, ny + 0.15, 0.085 * squeeze**0.5
    lip = tuple(np.array([0.62, 0.6, 0.88]) * skin if look.woman else np.array([0.7, 0.68, 0.84]) * skin)
    smile = 0.03 * look.mouth
    corners = [(mx - half, my - smile), (mx + half, my - smile)]
    upper = [(mx + 0.35 * half, my - 0.022), (mx, my - 0.014), (mx - 0.35 * half, my - 0.022)]
    lower = [(mx - 0.4 * half, my + 0.032 + smile / 2), (mx + 0.4 * half, my + 0.032 + smile / 2)]
    polygon(picture, px(smooth(np.array([corners[0], *lower, corners[1], *upper]), closed=True, steps=3)), lip)
    line = smooth(np.array([corners[0], (mx, my + smile / 2), corners[1]]))
    stroke(picture, px(line), tuple(0.35 * skin), 0.012 * scale)
    if look.mouth > 0.75:
        polygon(
            picture,
            px(np.array([(mx - 0.6 * half, my - 0.01), (mx + 0.6 * half, my - 0.01), (mx, my + 0.02 + smile / 2)])),
            (214, 222, 226),
        )
    if look.beard in ("moustache", "full"):
        stroke(
            picture,
            px(smooth(np.array([(mx - half, my), (mx, my - 0.045), (mx + half, my)]))),
            look.hair,
            0.045 * scale,
        )


def _hair(easel: _Easel, look: Look, light: Light, cx: float, dim: float) -> np.ndarray:
    """Hair colour with strands and light, (side, side, 3) uint8."""
    strands = cv2.resize(noise(3)[:24, : easel.side // 2], (easel.side, easel.side)).astype(np.float32)
    right, down = np.clip((easel.x - cx) / 0.5, -1, 1), np.clip((easel.y + 0.05) / 0.6, -1, 1)
    bright = lighting.brightness(light, 0.9 * right, 0.8 * down * np.sqrt(1 - 0.8 * right**2))
    bright = bright * (dim + (strands - 128) * 0.0035)
    return darkened(easel.plain(look.hair), np.clip(bright, 0, 1).astype(np.float32))


def _top_hair(easel: _Easel, look: Look, light: Light, cx: float, yaw: float) -> None:
    """Hair over the forehead, or a hat."""
    style, s = look.hair_style, look.hair_side
    if style == "bald":
        return
    if style == "hat":
        crown = smooth(
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
        hat = easel.plain(tuple(0.8 * c for c in look.legs))
        right = np.clip((easel.x - cx) / 0.45, -1, 1) + 0 * easel.y
        shaded = darkened(hat, lighting.brightness(light, 0.9 * right, 0 * right - 0.2))
        sides = np.array(
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
        easel.lay(_hair(easel, look, light, cx, 0.9), easel.mask(sides))
        easel.lay(shaded, easel.mask(crown))
        turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        easel.lay(
            darkened(shaded, np.full(shaded.shape[:2], 0.75, np.float32)),
            easel.mask(np.stack([cx + 0.06 * yaw + 0.56 * np.cos(turn), -0.22 + 0.075 * np.sin(turn)], axis=1)),
        )
        return
    if style == "bun":
        turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        bun = np.stack([cx - 0.1 * yaw + 0.17 * np.cos(turn), -0.62 + 0.15 * np.sin(turn)], axis=1)
        easel.lay(_hair(easel, look, light, cx, 0.8), easel.mask(bun))
    outline = smooth(
        np.array([(cx + s * x + (0.05 * yaw if y < 0 else 0), y) for x, y in HAIRLINES[style]]),
        closed=True,
        steps=4,
    )
    if style == "curly":
        curls = 0.022 * np.sin(np.arange(len(outline)) * 1.9)
        outline = outline + curls[:, None] * outline / np.linalg.norm(outline, axis=1, keepdims=True)
    easel.lay(_hair(easel, look, light, cx, 0.95), easel.mask(outline))


def _set_down(canvas: Canvas, head: Head, easel: _Easel) -> None:
    """Turn the painted square by the head's roll and lay it on the picture."""
    c, s = np.cos(head.roll), np.sin(head.roll)
    share = head.height / easel.scale
    reach = HALF * head.height * (abs(c) + abs(s))
    low = np.floor(head.eyes - reach).astype(int)
    side = int(np.ceil(2 * reach)) + 1
    turn = share * np.array([[c, -s], [s, c]])
    origin = head.eyes - low - turn @ np.full(2, easel.side / 2 - 0.5)
    matrix = np.column_stack([turn, origin])
    colour = cv2.warpAffine(
        easel.colour, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    coverage = cv2.warpAffine(easel.cover, matrix, (side, side), flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    canvas.lay(colour, coverage, int(low[0]), int(low[1]))
