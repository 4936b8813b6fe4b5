"""Drawing of legs, neck, arms and hands around the annotated joints."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from splitpose.synthetic import lighting
from splitpose.synthetic.appearance import CLOTH_SCALE, Appearance, Colour, mean_colour, sample_cloth
from splitpose.synthetic.canvas import Canvas, apply_shading, noise_texture
from splitpose.synthetic.lighting import Light


@dataclass(frozen=True)
class Tube:
    """A bent tapering tube, rasterised in a window of the image; all arrays are (h, w) float32."""

    x: int
    y: int
    """Top left corner of the window, px."""
    coverage: np.ndarray
    across: np.ndarray
    """Position across the tube, from -1 to 1."""
    along: np.ndarray
    """Position along the tube, linear between the points."""
    right: np.ndarray
    down: np.ndarray
    """Components of the surface normal in the image plane."""


def make_tube(
    points: np.ndarray,
    radii: list[float],
    size: tuple[int, ...],
    folded: bool = False,
    marks: tuple[float, ...] = (0, 1, 2),
) -> Tube | None:
    """Rasterise a tube through points, or return None if it is outside the image.

    Args:
        points: (N, 2) px.
        radii: radius at each point, px.
        size: (height, width, ...) of the image.
        folded: whether later segments occlude earlier ones instead of merging with them.
        marks: value of `along` at each point.
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
        segment = b - a
        length_squared = max(float(segment @ segment), 1e-3)
        t = np.clip(((x - a[0]) * segment[0] + (y - a[1]) * segment[1]) / length_squared, 0, 1)
        dx, dy = x - (a[0] + t * segment[0]), y - (a[1] + t * segment[1])
        radius = radii[i] + (radii[i + 1] - radii[i]) * t
        depth = radius - np.sqrt(dx * dx + dy * dy)
        side = (dy * segment[0] - dx * segment[1]) * np.float32(1 / length_squared**0.5)
        current = [depth, marks[i] + (marks[i + 1] - marks[i]) * t, side, dx, dy, radius]
        if not best:
            best = current
        else:
            nearer = (depth > best[0]) | (depth > 0) if folded else depth > best[0]
            best = [np.where(nearer, new, old) for new, old in zip(current, best, strict=True)]
    depth, along, side, dx, dy, radius = best
    inverse = 1 / radius
    return Tube(
        int(low[0]), int(low[1]), np.clip(depth + 0.5, 0, 1), side * inverse, along, dx * inverse, dy * inverse
    )


def draw_tube(canvas: Canvas, tube: Tube | None, colour: Colour, light: Light, shadow: float = 0.0) -> None:
    """Draw a tube in one colour; it casts a shadow of strength `shadow` on the parts of the figure behind it."""
    if tube is None:
        return
    if shadow:
        cast_shadow(canvas, tube, shadow, light)
    shading = lighting.lambert_shading(light, tube.right, tube.down)
    canvas.blend(lighting.shade_colour(colour, shading), tube.coverage, tube.x, tube.y)


def cast_shadow(canvas: Canvas, tube: Tube, strength: float, light: Light) -> None:
    """Darken the surroundings of a tube on the side away from the light."""
    grow = max(4, tube.coverage.shape[0] // 12)
    padded = cv2.copyMakeBorder(tube.coverage, grow, grow, grow, grow, cv2.BORDER_CONSTANT)
    side = 2 * (grow // 2) + 1
    soft = cv2.blur(cv2.blur(padded, (side, side)), (side, side))
    dx, dy = round(-0.5 * grow * light.right), round(-0.5 * grow * light.down)
    canvas.darken(strength * soft, tube.x - grow + dx, tube.y - grow + dy, 0.15)


def draw_legs(
    canvas: Canvas,
    joints: dict[str, np.ndarray],
    unit: float,
    appearance: Appearance,
    light: Light,
    bend: np.ndarray,
) -> None:
    """Draw hips and legs or a skirt; `bend` (2,) is the sideways shift of the knees in torso units."""
    hips = joints["lhip"], joints["rhip"]
    middle = (hips[0] + hips[1]) / 2
    size = canvas.coverage.shape
    if appearance.skirt:
        _draw_skirt(canvas, middle, unit, appearance, light)
        return
    pelvis = np.stack([0.5 * (hips[1] + middle), 0.5 * (hips[0] + middle)])
    draw_tube(canvas, make_tube(pelvis, [0.15 * unit] * 2, size), appearance.legs, light)
    for hip, knee_shift in zip(hips, bend, strict=True):
        inner = middle + 0.62 * (hip - middle) + np.array([0, 0.1 * unit])
        knee = inner + unit * np.array([knee_shift, 0.88])
        ankle = knee + unit * np.array([-0.3 * knee_shift, 0.95])
        radii = [0.175 * unit * appearance.build, 0.13 * unit, 0.1 * unit]
        toes = ankle + unit * np.array([0.12 * np.sign(hip[0] - middle[0]), 0.1])
        draw_tube(canvas, make_tube(np.stack([ankle, toes]), [0.08 * unit, 0.07 * unit], size), (24, 26, 32), light)
        draw_tube(canvas, make_tube(np.stack([inner, knee, ankle]), radii, size), appearance.legs, light, 0.2)


def _draw_skirt(canvas: Canvas, hip_centre: np.ndarray, unit: float, appearance: Appearance, light: Light) -> None:
    """Draw bare calves and a pleated skirt."""
    size = canvas.coverage.shape
    calf = hip_centre + unit * np.array([[0.1, 0.9], [0.12, 1.9]])
    for side in (-1, 1):
        points = calf + np.array([(side - 1) * 0.11 * unit, 0])
        draw_tube(canvas, make_tube(points, [0.11 * unit, 0.07 * unit], size), appearance.skin, light)
    skirt = make_tube(hip_centre + unit * np.array([[0, 0], [0, 0.95]]), [0.28 * unit, 0.42 * unit], size)
    colour = appearance.legs if appearance.outfit != "dress" else mean_colour(appearance.cloth)
    if skirt is not None:
        # The ends are cut off straight instead of rounded.
        ends = np.minimum(skirt.along, 1 - skirt.along) * 0.95 * unit
        hem = np.clip(ends, 0, 1).astype(np.float32)
        pleats = 0.12 * np.sin(skirt.across * 9).astype(np.float32) * skirt.along
        skirt = replace(skirt, coverage=skirt.coverage * hem, right=np.clip(skirt.right + pleats, -1, 1))
    draw_tube(canvas, skirt, colour, light)


def draw_neck(
    canvas: Canvas,
    joints: dict[str, np.ndarray],
    chin: np.ndarray,
    unit: float,
    appearance: Appearance,
    light: Light,
) -> None:
    """Draw the neck, from the middle of the shoulders into the head."""
    base = (joints["lsho"] + joints["rsho"]) / 2 + [0, 0.03 * unit]
    width = (0.088 if appearance.woman else 0.108) * unit
    tube = make_tube(np.stack([base, chin - [0, 0.06 * unit]]), [width * 1.1, width], canvas.coverage.shape)
    draw_tube(canvas, tube, appearance.skin, light)


def draw_arm(
    canvas: Canvas,
    points: np.ndarray,
    unit: float,
    appearance: Appearance,
    light: Light,
    hand_turn: float,
    hand_side: int,
) -> None:
    """Draw an arm through shoulder, elbow and wrist, (3, 2) px, with its sleeve and hand."""
    thick = (0.87 if appearance.woman else 1.0) * unit
    upper, fore = points[0] - points[1], points[2] - points[1]
    cosine = float(upper @ fore) / max(float(np.linalg.norm(upper) * np.linalg.norm(fore)), 1e-6)
    size = canvas.coverage.shape
    length = max(float(np.linalg.norm(upper)), 1.0)
    draw_hand(canvas, points, unit * (0.9 if appearance.woman else 1.0), appearance, light, hand_turn, hand_side)
    folded = cosine > 0.3
    radii = [0.06 * thick, 0.094 * thick, 0.076 * thick, 0.054 * thick]
    if appearance.sleeve < 1.8:
        bare = _arm_tube(canvas, points, radii, folded, 0.1 * unit / length)
        if bare is not None:
            hidden = np.clip((bare.along - appearance.sleeve) * length + 0.06 * unit, 0, 1).astype(np.float32)
            bare = bare if appearance.sleeve <= 0.05 else replace(bare, coverage=bare.coverage * hidden)
        draw_tube(canvas, bare, appearance.skin, light, 0.45)
    if appearance.sleeve <= 0.05:
        return
    loose = appearance.looseness * unit
    wide = [radii[0] + 0.6 * loose, radii[1] + loose, radii[2] + loose, radii[3] + 1.1 * loose]
    sleeve = _arm_tube(canvas, points, wide, folded, 0.1 * unit / length)
    if sleeve is None:
        return
    lengths = float(np.linalg.norm(upper)), float(np.linalg.norm(fore))
    px_along = np.where(sleeve.along < 1, sleeve.along * lengths[0], lengths[0] + (sleeve.along - 1) * lengths[1])
    step = CLOTH_SCALE / unit
    colour = sample_cloth(appearance.cloth, 512 + sleeve.across * (radii[0] * 1.5 * step), 512 + px_along * step)
    end = appearance.sleeve
    covered = sleeve.coverage * np.clip((end - sleeve.along) * lengths[int(end >= 1)] + 0.5, 0, 1).astype(
        np.float32
    )
    if end > 1.8:
        if appearance.outfit in ("suit", "jacket"):
            cuff = np.stack([points[2] - 0.2 * fore, points[2]])
            draw_tube(canvas, make_tube(cuff, [radii[3] + 0.7 * loose] * 2, size), appearance.under, light)
        cast_shadow(canvas, sleeve, 0.5, light)
    relief = noise_texture(5)[512 : 512 + 256, 512 : 512 + 256]
    iy = (px_along * (110 / unit)).astype(np.int32) & 255
    ix = ((sleeve.across + 1) * 14 + sleeve.along * 40).astype(np.int32) & 255
    crease = (relief[iy, ix].astype(np.float32) - 128) * np.maximum(
        0.0075 - 0.007 * np.abs(sleeve.along - 1), 0.0035
    )
    shading = lighting.lambert_shading(light, sleeve.right, np.clip(sleeve.down + crease, -1, 1))
    shading *= np.clip(0.65 + (end - sleeve.along) * 8, 0, 1)
    canvas.blend(apply_shading(colour, shading), covered, sleeve.x, sleeve.y)


DELTOID = 0.28
"""Position of the thickest point along the upper arm, 0-1."""


def _arm_tube(
    canvas: Canvas, points: np.ndarray, radii: list[float], folded: bool, fade_length: float
) -> Tube | None:
    """Return the tube through shoulder, elbow and wrist (3, 2), with `radii` at shoulder, deltoid, elbow, wrist.

    The first `fade_length` of the upper arm fades out where it is on the torso, so that there is no visible seam.
    `along` is 0 at the shoulder, 1 at the elbow, 2 at the wrist.
    """
    deltoid = points[0] + DELTOID * (points[1] - points[0])
    corners = np.stack([points[0], deltoid, points[1], points[2]])
    tube = make_tube(corners, radii, canvas.coverage.shape, folded, (0, DELTOID, 1, 2))
    if tube is None:
        return None
    under = canvas.coverage[tube.y : tube.y + tube.coverage.shape[0], tube.x : tube.x + tube.coverage.shape[1]]
    fade = np.clip(tube.along / np.float32(max(fade_length, 0.02)) - 0.15, 0, 1)
    return replace(tube, coverage=tube.coverage * np.maximum(fade, 1 - under))


def draw_hand(
    canvas: Canvas, points: np.ndarray, unit: float, appearance: Appearance, light: Light, turn: float, side: int
) -> None:
    """Draw palm, fingers and thumb beyond the wrist; `turn` is the angle to the forearm in radians."""
    along = points[2] - points[1]
    angle = float(np.arctan2(along[1], along[0])) + turn
    forward = np.array([np.cos(angle), np.sin(angle)])
    sideways = np.array([-forward[1], forward[0]]) * side
    curl = np.array([np.cos(angle + 0.4 * turn), np.sin(angle + 0.4 * turn)])
    knuckles = points[2] + 0.095 * unit * forward
    tips = knuckles + 0.085 * unit * curl
    size = canvas.coverage.shape
    thumb = np.stack(
        [
            points[2] + unit * (0.03 * forward + 0.03 * sideways),
            points[2] + unit * (0.085 * forward + 0.07 * sideways),
            points[2] + unit * (0.12 * forward + 0.065 * sideways),
        ]
    )
    draw_tube(
        canvas, make_tube(thumb, [0.022 * unit, 0.018 * unit, 0.014 * unit], size), appearance.skin, light, 0.4
    )
    tube = make_tube(np.stack([points[2], knuckles, tips]), [0.042 * unit, 0.053 * unit, 0.034 * unit], size)
    if tube is None:
        return
    cast_shadow(canvas, tube, 0.4, light)
    shading = lighting.lambert_shading(light, tube.right, tube.down)
    gaps = (
        np.exp(-(((np.abs(np.abs(tube.across) - 0.27) - 0.23) / 0.07) ** 2))
        * np.clip(tube.along - 0.95, 0, 0.25)
        * 4
    )
    shading *= (1 - 0.45 * gaps).astype(np.float32)
    canvas.blend(lighting.shade_colour(appearance.skin, shading), tube.coverage, tube.x, tube.y)


def cast_round_shadow(canvas: Canvas, centre: np.ndarray, radius: float, strength: float) -> None:
    """Cast a soft round shadow on the figure, such as that of the chin on neck and chest."""
    reach = int(2 * radius)
    axis = np.arange(-reach, reach + 1, dtype=np.float32) / np.float32(radius)
    soft = np.exp(-(axis[:, None] ** 2) * 1.6) * np.exp(-(axis[None, :] ** 2))
    canvas.darken((strength * soft).astype(np.float32), round(centre[0]) - reach, round(centre[1]) - reach, 0.0)
