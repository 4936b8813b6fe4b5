"""Legs, torso, arms and hands of a figure, painted around the joints that the annotation names."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from splitpose.synthetic import lighting
from splitpose.synthetic.appearance import TILE, Colour, Look, darker, mean_colour
from splitpose.synthetic.lighting import Light
from splitpose.synthetic.paint import Canvas, darkened, noise, polygon, smooth, stroke

CLOTH_SCALE = 200.0
"""Pixels of a cloth's tile to a torso unit."""

# The torso is painted flat, in torso units around the middle of the shoulders, then bent onto its joints.
SHOULDER, HIP, HEIGHT = 0.31, 0.257, 0.81
LEFT, RIGHT, TOP, BOTTOM = -0.5, 0.5, -0.2, 1.12
OUTLINE = np.array([
    (-0.16, 0.08), (-0.11, 0.105), (-0.085, 0.17), (-0.06, 0.25), (-0.02, 0.325), (0.05, 0.362),
    (0.14, 0.352),
    (0.25, 0.33), (0.4, 0.305), (0.52, 0.295), (0.66, 0.305), (0.81, 0.335), (0.95, 0.35), (1.1, 0.352),
])  # fmt: skip
"""Half widths (second column) at heights (first column), a man's; torso units."""


@dataclass(frozen=True)
class Tube:
    """A bent tapering tube as its window of the picture sees it; all arrays are (h, w) float32."""

    x: int
    y: int
    coverage: np.ndarray
    across: np.ndarray
    """-1 at one side, 1 at the other."""
    along: np.ndarray
    """Goes on evenly from point to point, from 0 at the first."""
    right: np.ndarray
    down: np.ndarray
    """Picture components of the surface normal."""


def tube(
    points: np.ndarray,
    radii: list[float],
    size: tuple[int, ...],
    folded: bool = False,
    marks: tuple[float, ...] = (0, 1, 2),
) -> Tube | None:
    """The tube through `points` (N, 2) with `radii`, px, inside a picture of `size`; None where outside.

    With `folded`, later pieces lie before earlier ones instead of growing together with them. `marks` are the
    values of `along` at the points.
    """
    reach = max(radii) + 2
    low = np.maximum(np.floor(points.min(axis=0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0) + reach), [size[1], size[0]]).astype(int)
    if (high <= low).any():
        return None
    x = np.arange(low[0], high[0], dtype=np.float32)[None, :]
    y = np.arange(low[1], high[1], dtype=np.float32)[:, None]
    best: list[np.ndarray] = []
    for i, (a, b) in enumerate(zip(points[:-1].astype(np.float32), points[1:].astype(np.float32), strict=True)):
        piece = b - a
        square = max(float(piece @ piece), 1e-3)
        t = np.clip(((x - a[0]) * piece[0] + (y - a[1]) * piece[1]) / square, 0, 1)
        dx, dy = x - (a[0] + t * piece[0]), y - (a[1] + t * piece[1])
        radius = radii[i] + (radii[i + 1] - radii[i]) * t
        depth = radius - np.sqrt(dx * dx + dy * dy)
        side = (dy * piece[0] - dx * piece[1]) * np.float32(1 / square**0.5)
        now = [depth, marks[i] + (marks[i + 1] - marks[i]) * t, side, dx, dy, radius]
        if not best:
            best = now
        else:
            nearer = (depth > best[0]) | (depth > 0) if folded else depth > best[0]
            best = [np.where(nearer, new, old) for new, old in zip(now, best, strict=True)]
    depth, along, side, dx, dy, radius = best
    share = 1 / radius
    return Tube(int(low[0]), int(low[1]), np.clip(depth + 0.5, 0, 1), side * share, along, dx * share, dy * share)


def _tile(cloth: np.ndarray, across: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Cloth looked up at tile pixels `across`, `along` (h, w)."""
    return cloth[along.astype(np.int32) & (TILE - 1), across.astype(np.int32) & (TILE - 1)]


def paint_tube(canvas: Canvas, form: Tube | None, colour: Colour, light: Light, shadow: float = 0.0) -> None:
    """Paint a tube in one colour, with a soft shadow around it on what the person already covers."""
    if form is None:
        return
    if shadow:
        cast_shadow(canvas, form, shadow, light)
    bright = lighting.brightness(light, form.right, form.down)
    canvas.lay(lighting.lit(colour, bright), form.coverage, form.x, form.y)


def cast_shadow(canvas: Canvas, form: Tube, strength: float, light: Light) -> None:
    """Darken what lies around and behind `form`, away from the light."""
    grow = max(4, form.coverage.shape[0] // 12)
    padded = cv2.copyMakeBorder(form.coverage, grow, grow, grow, grow, cv2.BORDER_CONSTANT)
    side = 2 * (grow // 2) + 1
    soft = cv2.blur(cv2.blur(padded, (side, side)), (side, side))
    dx, dy = round(-0.5 * grow * light.right), round(-0.5 * grow * light.down)
    canvas.shade(strength * soft, form.x - grow + dx, form.y - grow + dy, 0.15)


def legs(
    canvas: Canvas, joints: dict[str, np.ndarray], unit: float, look: Look, light: Light, bend: np.ndarray
) -> None:
    """Hips and legs or a skirt; `bend` (2,) shifts the knees to the sides, torso units."""
    hips = joints["lhip"], joints["rhip"]
    middle = (hips[0] + hips[1]) / 2
    size = canvas.cover.shape
    if look.skirt:
        calf = middle + unit * np.array([[0.1, 0.9], [0.12, 1.9]])
        for side in (-1, 1):
            paint_tube(
                canvas,
                tube(calf + np.array([(side - 1) * 0.11 * unit, 0]), [0.11 * unit, 0.07 * unit], size),
                look.skin,
                light,
            )
        form = tube(middle + unit * np.array([[0, 0], [0, 0.95]]), [0.28 * unit, 0.42 * unit], size)
        colour = look.legs if look.outfit != "dress" else mean_colour(look.cloth)
        if form is not None:
            # Cut off straight where the tube would end in a ball.
            ends = np.minimum(form.along, 1 - form.along) * 0.95 * unit
            hem = np.clip(ends, 0, 1).astype(np.float32)
            pleats = 0.12 * np.sin(form.across * 9).astype(np.float32) * form.along
            form = replace(form, coverage=form.coverage * hem, right=np.clip(form.right + pleats, -1, 1))
        paint_tube(canvas, form, colour, light)
        return
    pelvis = np.stack([0.5 * (hips[1] + middle), 0.5 * (hips[0] + middle)])
    paint_tube(canvas, tube(pelvis, [0.15 * unit] * 2, size), look.legs, light)
    for hip, knee_shift in zip(hips, bend, strict=True):
        inner = middle + 0.62 * (hip - middle) + np.array([0, 0.1 * unit])
        knee = inner + unit * np.array([knee_shift, 0.88])
        ankle = knee + unit * np.array([-0.3 * knee_shift, 0.95])
        radii = [0.175 * unit * look.build, 0.13 * unit, 0.1 * unit]
        toes = ankle + unit * np.array([0.12 * np.sign(hip[0] - middle[0]), 0.1])
        paint_tube(canvas, tube(np.stack([ankle, toes]), [0.08 * unit, 0.07 * unit], size), (24, 26, 32), light)
        paint_tube(canvas, tube(np.stack([inner, knee, ankle]), radii, size), look.legs, light, 0.2)


def neck(
    canvas: Canvas, joints: dict[str, np.ndarray], chin: np.ndarray, unit: float, look: Look, light: Light
) -> None:
    """The neck, from the middle of the shoulders up into the head."""
    base = (joints["lsho"] + joints["rsho"]) / 2 + [0, 0.03 * unit]
    width = (0.088 if look.woman else 0.108) * unit
    form = tube(np.stack([base, chin - [0, 0.06 * unit]]), [width * 1.1, width], canvas.cover.shape)
    paint_tube(canvas, form, look.skin, light)


def torso(canvas: Canvas, joints: dict[str, np.ndarray], unit: float, look: Look, light: Light, folds: int) -> None:
    """Chest to hem: painted flat with its clothes, shaded, and bent onto shoulders and hips."""
    scale = float(np.clip(unit, 90, 200))
    width, height = round((RIGHT - LEFT) * scale), round((BOTTOM - TOP) * scale)

    def px(points: list[tuple[float, float]]) -> np.ndarray:
        return (np.array(points) - [LEFT, TOP]) * scale

    hem = {"tee": 0.95, "sweater": 0.96, "jacket": 0.98, "suit": 1.1, "dress": 1.0, "shirt": 0.88}[look.outfit]
    profile = OUTLINE[OUTLINE[:, 0] < hem]
    waist = 1 - (0.14 if look.woman else 0.03) * np.exp(-(((profile[:, 0] - 0.5) / 0.18) ** 2))
    half = profile[:, 1] * np.where(profile[:, 0] < 0.2, 1, look.build) * waist + look.looseness * (
        profile[:, 0] > 0
    )
    right_side = smooth(np.stack([half, profile[:, 0]], axis=1), steps=4)
    outline = np.concatenate([right_side, right_side[::-1] * [-1, 1]])

    step = CLOTH_SCALE / scale
    flat = _tile(look.cloth, np.arange(width)[None, :] * step, np.arange(height)[:, None] * step)
    _clothes(flat, px, scale, look)

    x = ((np.arange(width) / scale + LEFT)[None, :]).astype(np.float32)
    y = ((np.arange(height) / scale + TOP)[:, None]).astype(np.float32)
    u = np.clip(x / np.interp(y, right_side[:, 1], right_side[:, 0]).astype(np.float32), -1, 1)
    relief = noise(6)[folds : folds + height + 3, folds : folds + width + 3].astype(np.float32)
    slant = (relief[3:, 3:] - relief[:-3, :-3]) * np.float32(0.011)
    right = np.clip(0.9 * u * np.abs(u) + slant * (1 if y.size else 0), -1, 1)
    down = np.clip(
        -0.75 * np.exp(-(((y + 0.12) / 0.1) ** 2)) + 0.25 * np.sin((y - 0.18) * 6) * (look.woman + 0.35),
        -0.8,
        0.8,
    )
    bright = lighting.brightness(light, right, down + 0.3 * slant)
    colour = darkened(flat, bright)

    mask = np.zeros((height, width), np.uint8)
    polygon(mask, px([tuple(p) for p in outline]), (255,))
    corners = px([(SHOULDER, 0), (-SHOULDER, 0), (HIP, HEIGHT), (-HIP, HEIGHT)]).astype(np.float32)
    targets = np.stack([joints[name] for name in ("lsho", "rsho", "lhip", "rhip")])
    rows, columns = canvas.cover.shape
    low = np.maximum(np.floor(targets.min(axis=0) - 0.4 * unit), 0).astype(int)
    high = np.minimum(np.ceil(targets.max(axis=0) + 0.45 * unit), [columns, rows]).astype(int)
    matrix = cv2.getPerspectiveTransform(corners, (targets - low).astype(np.float32))
    span = (int(high[0] - low[0]), int(high[1] - low[1]))
    coverage = cv2.warpPerspective(mask, matrix, span).astype(np.float32) / 255
    canvas.lay(
        cv2.warpPerspective(colour, matrix, span, borderMode=cv2.BORDER_REPLICATE),
        coverage,
        int(low[0]),
        int(low[1]),
    )


def _clothes(flat: np.ndarray, px, scale: float, look: Look) -> None:  # type: ignore[no-untyped-def]
    """Neckline, collar, lapels, buttons and belt drawn on the flat cloth."""
    cloth: Colour = mean_colour(look.cloth)
    dark, thin = darker(cloth, 0.55), max(1.0, 0.008 * scale)
    if look.outfit == "suit" or look.outfit == "jacket":
        depth = 0.48 if look.outfit == "suit" else 0.95
        opening = 0.02 if look.outfit == "suit" else 0.1
        polygon(
            flat,
            px([(-0.13, -0.2), (0.13, -0.2), (0.12, 0.0), (opening, depth), (-opening, depth), (-0.12, 0.0)]),
            look.under,
        )
        polygon(flat, px([(-0.1, -0.2), (0.1, -0.2), (0.0, 0.05)]), look.skin)
        if look.tie:
            polygon(
                flat,
                px(
                    [
                        (-0.03, -0.045),
                        (0.03, -0.045),
                        (0.022, 0.02),
                        (0.045, 0.42),
                        (0, 0.5),
                        (-0.045, 0.42),
                        (-0.022, 0.02),
                    ]
                ),
                look.tie,
            )
            stroke(flat, px([(-0.024, 0.02), (0.024, 0.02)]), darker(look.tie), thin)
        for side in (-1, 1):
            polygon(
                flat,
                px([(side * 0.1, -0.13), (side * 0.0, 0.035), (side * 0.06, 0.1), (side * 0.125, -0.06)]),
                darker(look.under, 0.93),
            )
            lapel = [
                (side * 0.12, -0.12),
                (side * 0.21, 0.1),
                (side * 0.17, 0.13),
                (side * 0.19, 0.17),
                (side * opening, depth),
            ]
            polygon(flat, px(lapel), darker(cloth, 0.82))
            stroke(flat, px(lapel), dark, thin)
            stroke(flat, px([(side * 0.12, 0.72), (side * 0.25, 0.69)]), dark, 2 * thin)
        stroke(flat, px([(0, depth), (0.02, 1.12)]), dark, 1.5 * thin)
        return
    if look.outfit == "shirt":
        polygon(flat, px([(-0.1, -0.2), (0.1, -0.2), (0.0, 0.08)]), look.skin)
        for side in (-1, 1):
            collar = [(side * 0.115, -0.16), (side * 0.0, 0.06), (side * 0.085, 0.11), (side * 0.15, -0.05)]
            polygon(flat, px(collar), darker(cloth, 1.06 if max(cloth) < 235 else 0.96))
            stroke(flat, px(collar), dark, thin)
        stroke(flat, px([(0.015, 0.07), (0.015, 0.9)]), dark, thin)
        for y in np.arange(0.16, 0.85, 0.13):
            polygon(flat, px([(-0.01, y), (0, y + 0.01), (0.01, y), (0, y - 0.01)]), darker(cloth, 0.4))
        polygon(flat, px([(-0.5, 0.845), (0.5, 0.845), (0.5, 0.9), (-0.5, 0.9)]), (26, 30, 38))
        return
    if look.outfit == "dress":
        polygon(
            flat,
            px([(-0.2, -0.2), (0.2, -0.2), (0.19, 0.02), (0.1, 0.18), (0, 0.2), (-0.1, 0.18), (-0.19, 0.02)]),
            look.skin,
        )
        if look.sleeve < 0.2:
            for side in (-1, 1):
                polygon(
                    flat,
                    px(
                        [
                            (side * 0.27, -0.2),
                            (side * 0.27, 0.04),
                            (side * 0.315, 0.2),
                            (side * 0.5, 0.2),
                            (side * 0.5, -0.2),
                        ]
                    ),
                    look.skin,
                )
        stroke(flat, px([(-0.4, 0.55), (0, 0.57), (0.4, 0.55)]), dark, 2.5 * thin)
        return
    depth = 0.2 if look.outfit == "sweater" and look.woman else 0.06
    neckline = smooth(
        np.array(
            [
                (-0.14, -0.2),
                (-0.13, -0.04),
                (-0.06, depth * 0.8),
                (0, depth),
                (0.06, depth * 0.8),
                (0.13, -0.04),
                (0.14, -0.2),
            ]
        )
    )
    polygon(flat, px([tuple(p) for p in neckline]), look.skin)
    stroke(flat, px([tuple(p) for p in neckline]), look.trim if look.outfit == "tee" else dark, 2.5 * thin)
    if look.outfit == "sweater":
        stroke(flat, px([(-0.5, 0.9), (0.5, 0.9)]), dark, 2 * thin)


def arm(
    canvas: Canvas,
    points: np.ndarray,
    unit: float,
    look: Look,
    light: Light,
    hand_turn: float,
    hand_side: int,
) -> None:
    """An arm through shoulder, elbow and wrist, (3, 2) px, with its sleeve and its hand."""
    thick = (0.87 if look.woman else 1.0) * unit
    upper, fore = points[0] - points[1], points[2] - points[1]
    cosine = float(upper @ fore) / max(float(np.linalg.norm(upper) * np.linalg.norm(fore)), 1e-6)
    size = canvas.cover.shape
    length = max(float(np.linalg.norm(upper)), 1.0)
    hand(canvas, points, unit * (0.9 if look.woman else 1.0), look, light, hand_turn, hand_side)
    folded = cosine > 0.3
    radii = [0.06 * thick, 0.094 * thick, 0.076 * thick, 0.054 * thick]
    if look.sleeve < 1.8:
        bare = _arm_tube(canvas, points, radii, folded, 0.1 * unit / length)
        if bare is not None:
            hidden = np.clip((bare.along - look.sleeve) * length + 0.06 * unit, 0, 1).astype(np.float32)
            bare = bare if look.sleeve <= 0.05 else replace(bare, coverage=bare.coverage * hidden)
        paint_tube(canvas, bare, look.skin, light, 0.45)
    if look.sleeve <= 0.05:
        return
    loose = look.looseness * unit
    wide = [radii[0] + 0.6 * loose, radii[1] + loose, radii[2] + loose, radii[3] + 1.1 * loose]
    sleeve = _arm_tube(canvas, points, wide, folded, 0.1 * unit / length)
    if sleeve is None:
        return
    lengths = float(np.linalg.norm(upper)), float(np.linalg.norm(fore))
    px_along = np.where(sleeve.along < 1, sleeve.along * lengths[0], lengths[0] + (sleeve.along - 1) * lengths[1])
    step = CLOTH_SCALE / unit
    colour = _tile(look.cloth, 512 + sleeve.across * (radii[0] * 1.5 * step), 512 + px_along * step)
    end = look.sleeve
    covered = sleeve.coverage * np.clip((end - sleeve.along) * lengths[int(end >= 1)] + 0.5, 0, 1).astype(
        np.float32
    )
    if end > 1.8:
        if look.outfit in ("suit", "jacket"):
            cuff = np.stack([points[2] - 0.2 * fore, points[2]])
            paint_tube(canvas, tube(cuff, [radii[3] + 0.7 * loose] * 2, size), look.under, light)
        cast_shadow(canvas, sleeve, 0.5, light)
    relief = noise(5)[512 : 512 + 256, 512 : 512 + 256]
    iy = (px_along * (110 / unit)).astype(np.int32) & 255
    ix = ((sleeve.across + 1) * 14 + sleeve.along * 40).astype(np.int32) & 255
    crease = (relief[iy, ix].astype(np.float32) - 128) * np.maximum(
        0.0075 - 0.007 * np.abs(sleeve.along - 1), 0.0035
    )
    bright = lighting.brightness(light, sleeve.right, np.clip(sleeve.down + crease, -1, 1))
    bright *= np.clip(0.65 + (end - sleeve.along) * 8, 0, 1)
    canvas.lay(darkened(colour, bright), covered, sleeve.x, sleeve.y)


DELTOID = 0.28
"""Share of the upper arm after which it is thickest."""


def _arm_tube(canvas: Canvas, points: np.ndarray, radii: list[float], folded: bool, share: float) -> Tube | None:
    """The tube through shoulder, elbow and wrist (3, 2), `radii` at shoulder, deltoid, elbow and wrist.

    The first `share` of the upper arm fades where it lies on the torso, so that no seam shows. `along` is
    0 at the shoulder, 1 at the elbow, 2 at the wrist.
    """
    deltoid = points[0] + DELTOID * (points[1] - points[0])
    corners = np.stack([points[0], deltoid, points[1], points[2]])
    form = tube(corners, radii, canvas.cover.shape, folded, (0, DELTOID, 1, 2))
    if form is None:
        return None
    under = canvas.cover[form.y : form.y + form.coverage.shape[0], form.x : form.x + form.coverage.shape[1]]
    fade = np.clip(form.along / np.float32(max(share, 0.02)) - 0.15, 0, 1)
    return replace(form, coverage=form.coverage * np.maximum(fade, 1 - under))


def hand(canvas: Canvas, points: np.ndarray, unit: float, look: Look, light: Light, turn: float, side: int) -> None:
    """Palm, fingers and thumb beyond the wrist; `turn` in radians bends it off the forearm's line."""
    along = points[2] - points[1]
    angle = float(np.arctan2(along[1], along[0])) + turn
    prefetch = np.array([np.cos(angle), np.sin(angle)])
    beside = np.array([-prefetch[1], prefetch[0]]) * side
    curl = np.array([np.cos(angle + 0.4 * turn), np.sin(angle + 0.4 * turn)])
    knuckles = points[2] + 0.095 * unit * prefetch
    tips = knuckles + 0.085 * unit * curl
    size = canvas.cover.shape
    thumb = np.stack(
        [
            points[2] + unit * (0.03 * prefetch + 0.03 * beside),
            points[2] + unit * (0.085 * prefetch + 0.07 * beside),
            points[2] + unit * (0.12 * prefetch + 0.065 * beside),
        ]
    )
    paint_tube(canvas, tube(thumb, [0.022 * unit, 0.018 * unit, 0.014 * unit], size), look.skin, light, 0.4)
    form = tube(np.stack([points[2], knuckles, tips]), [0.042 * unit, 0.053 * unit, 0.034 * unit], size)
    if form is None:
        return
    cast_shadow(canvas, form, 0.4, light)
    bright = lighting.brightness(light, form.right, form.down)
    gaps = (
        np.exp(-(((np.abs(np.abs(form.across) - 0.27) - 0.23) / 0.07) ** 2))
        * np.clip(form.along - 0.95, 0, 0.25)
        * 4
    )
    bright *= (1 - 0.45 * gaps).astype(np.float32)
    canvas.lay(lighting.lit(look.skin, bright), form.coverage, form.x, form.y)


def cast_round_shadow(canvas: Canvas, centre: np.ndarray, radius: float, strength: float) -> None:
    """A soft round shadow on what the person already covers, as the chin casts it on neck and chest."""
    reach = int(2 * radius)
    axis = np.arange(-reach, reach + 1, dtype=np.float32) / np.float32(radius)
    soft = np.exp(-(axis[:, None] ** 2) * 1.6) * np.exp(-(axis[None, :] ** 2))
    canvas.shade((strength * soft).astype(np.float32), round(centre[0]) - reach, round(centre[1]) - reach, 0.0)
