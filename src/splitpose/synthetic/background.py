"""Rendering of backgrounds, and of objects in the foreground."""

from collections.abc import Callable

import cv2
import numpy as np

from splitpose.synthetic.appearance import CLOTH_COLOURS, Colour, scale_colour
from splitpose.synthetic.canvas import catmull_rom, draw_line, fill_ellipse, fill_polygon, sample_noise
from splitpose.synthetic.poses import HEIGHT, WIDTH

WARM = np.array([0.86, 0.98, 1.1])
"""Colour of grey objects in lamplight, relative to their brightness."""


def _muted_colour(rng: np.random.Generator, light: float = 1.0) -> Colour:
    """Sample a muted colour: backgrounds are greyer than clothes."""
    base = np.array(CLOTH_COLOURS[rng.integers(len(CLOTH_COLOURS))], np.float64)
    muted = 0.4 * base + 0.6 * base.mean() * WARM
    b, g, r = np.clip((0.7 * muted + rng.uniform(15, 100)) * light, 5, 245).tolist()
    return b, g, r


def _gradient(top: Colour, bottom: Colour) -> np.ndarray:
    """Return a vertical gradient, (HEIGHT, WIDTH, 3) uint8."""
    weight = np.linspace(0, 1, HEIGHT)[:, None, None]
    column = (1 - weight) * np.array(top) + weight * np.array(bottom)
    image: np.ndarray = cv2.resize(column.astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    return image


def _fill_box(image: np.ndarray, x: float, y: float, width: float, height: float, colour: Colour) -> None:
    cv2.rectangle(image, (round(x), round(y)), (round(x + width), round(y + height)), colour, -1)


def _render_room(rng: np.random.Generator) -> np.ndarray:
    """Render a wall and floor with up to four objects: paintings, windows, doors, curtains, lamps, shelves."""
    wall = _muted_colour(rng)
    image = _gradient(wall, scale_colour(wall, 0.75))
    floor = rng.uniform(360, 470)
    _fill_box(image, 0, floor, WIDTH, HEIGHT, _muted_colour(rng, 0.6))
    _fill_box(image, 0, floor - 12, WIDTH, 12, scale_colour(wall, 0.6))
    if rng.random() < 0.4:
        period = rng.integers(16, 70)
        for left in range(0, WIDTH, int(period)):
            _fill_box(image, left, 0, period * 0.3, floor - 12, scale_colour(wall, 0.92))
    for _ in range(rng.integers(1, 5)):
        draw = _ROOM_OBJECTS[rng.choice(list(_ROOM_OBJECTS))]
        draw(image, rng, rng.uniform(-60, WIDTH - 60), floor)
    return image


def _draw_frame(image: np.ndarray, rng: np.random.Generator, x: float, floor: float) -> None:
    w, h, y = rng.uniform(50, 150), rng.uniform(50, 140), rng.uniform(10, 160)
    _fill_box(image, x, y, w, h, _muted_colour(rng, 0.4))
    _fill_box(image, x + 7, y + 7, w - 14, h - 14, _muted_colour(rng, 1.1))
    fill_ellipse(image, (x + w / 2, y + h / 2), (w / 5, h / 4), _muted_colour(rng))


def _draw_window(image: np.ndarray, rng: np.random.Generator, x: float, floor: float) -> None:
    w, h, y = rng.uniform(90, 220), rng.uniform(140, 290), rng.uniform(-40, 60)
    _fill_box(image, x - 8, y - 8, w + 16, h + 16, _muted_colour(rng, 1.2))
    _fill_box(image, x, y, w, h, tuple(np.clip(rng.normal([235, 225, 205], 25), 60, 250)))
    for fraction in (1 / 3, 2 / 3):
        _fill_box(image, x + fraction * w - 3, y, 6, h, _muted_colour(rng, 0.8))
    _fill_box(image, x, y + h / 2 - 3, w, 6, _muted_colour(rng, 0.8))


def _draw_door(image: np.ndarray, rng: np.random.Generator, x: float, floor: float) -> None:
    w, y = rng.uniform(100, 160), rng.uniform(10, 90)
    colour, height = _muted_colour(rng, 0.7), floor - y
    _fill_box(image, x - 8, y - 8, w + 16, HEIGHT, scale_colour(colour, 0.7))
    _fill_box(image, x, y, w, height, colour)
    for level in (0.08, 0.55):
        panel = scale_colour(colour, 0.85)
        _fill_box(image, x + 0.15 * w, y + level * height, 0.7 * w, 0.36 * height, panel)


def _draw_curtain(image: np.ndarray, rng: np.random.Generator, x: float, floor: float) -> None:
    fabric = np.array(_muted_colour(rng))
    for k in range(12):
        _fill_box(image, x + 9 * k, 0, 9, floor, tuple(fabric * (0.75 + 0.25 * np.sin(1.7 * k))))


def _draw_lamp(image: np.ndarray, rng: np.random.Generator, x: float, floor: float) -> None:
    y = rng.uniform(90, 220)
    draw_line(image, np.array([(x, y), (x, floor)]), (40, 50, 60), 5)
    shade = np.array([(x - 22, y - 50), (x + 22, y - 50), (x + 42, y), (x - 42, y)])
    fill_polygon(image, shade, (170, 225, 250))


def _draw_room_shelf(image: np.ndarray, rng: np.random.Generator, x: float, floor: float) -> None:
    _draw_shelf(image, rng, x, rng.uniform(0, 120), rng.uniform(140, 330), floor)


_ROOM_OBJECTS: dict[str, Callable[[np.ndarray, np.random.Generator, float, float], None]] = {
    "frame": _draw_frame,
    "window": _draw_window,
    "door": _draw_door,
    "curtain": _draw_curtain,
    "lamp": _draw_lamp,
    "shelf": _draw_room_shelf,
}


def _draw_shelf(
    image: np.ndarray, rng: np.random.Generator, x: float, y: float, width: float, floor: float
) -> None:
    """Draw a shelf of books from (x, y) to the floor."""
    wood = _muted_colour(rng, 0.5)
    _fill_box(image, x, y, width, floor - y, wood)
    step = float(rng.uniform(50, 80))
    colours = [_muted_colour(rng) for _ in range(9)]
    for level in np.arange(y + 8, floor - step, step):
        _fill_box(image, x + 6, level, width - 12, step - 8, tuple(0.5 * c for c in wood))
        widths = rng.uniform(5, 17, int(width / 5))
        starts = x + 8 + np.cumsum(widths) - widths
        heights = (step - 8) * rng.uniform(0.6, 0.97, len(widths))
        for at, w, h, book in zip(
            starts, widths, heights, rng.integers(len(colours), size=len(widths)), strict=True
        ):
            if at + w < x + width - 6:
                _fill_box(image, at, level + step - 8 - h, w - 1, h, colours[book])


def _render_library(rng: np.random.Generator) -> np.ndarray:
    """Render a wall of bookshelves."""
    image = _gradient(_muted_colour(rng), _muted_colour(rng, 0.6))
    _draw_shelf(image, rng, -20, -20, WIDTH + 40, HEIGHT + 60)
    return image


def _render_street(rng: np.random.Generator) -> np.ndarray:
    """Render house fronts with windows, a pavement and cars."""
    image = _gradient(tuple(np.clip(rng.normal([220, 205, 190], 25), 60, 250)), _muted_colour(rng))
    ground = rng.uniform(340, 440)
    x = -40.0
    while x < WIDTH:
        w, top = rng.uniform(90, 260), rng.uniform(-80, 140)
        front = np.array(_muted_colour(rng))
        _fill_box(image, x, top, w, HEIGHT, tuple(front))
        columns, rows = int(rng.integers(2, 6)), int(rng.integers(3, 7))
        glass = tuple(front * rng.uniform(0.3, 0.6)) if rng.random() < 0.7 else (150, 215, 245)
        for i in range(columns):
            for k in range(rows):
                wx, wy = x + w * (i + 0.25) / columns, top + 20 + (ground - top - 30) * k / rows
                _fill_box(image, wx, wy, w * 0.5 / columns, 0.6 * (ground - top) / rows, glass)
        x += w + rng.uniform(0, 30)
    _fill_box(image, 0, ground, WIDTH, HEIGHT, _muted_colour(rng, 0.7))
    for _ in range(rng.integers(0, 4)):
        cx, w = rng.uniform(0, WIDTH), rng.uniform(60, 130)
        colour = _muted_colour(rng)
        fill_polygon(
            image,
            catmull_rom(
                np.array(
                    [
                        (cx - w, ground + 30),
                        (cx - w, ground),
                        (cx - 0.5 * w, ground - 8),
                        (cx - 0.3 * w, ground - 40),
                        (cx + 0.4 * w, ground - 40),
                        (cx + 0.6 * w, ground - 6),
                        (cx + w, ground),
                        (cx + w, ground + 30),
                    ]
                ),
                True,
            ),
            colour,
        )
        for wheel in (-0.6, 0.6):
            fill_ellipse(image, (cx + wheel * w, ground + 30), (0.2 * w, 0.2 * w), (30, 30, 30))
    return image


def _render_foliage(rng: np.random.Generator) -> np.ndarray:
    """Render trees or hedges with light between the leaves, over grass or a path."""
    dark = np.clip(rng.normal([30, 60, 40], 15), 5, 120)
    light = np.clip(rng.normal([90, 160, 130], 30), 40, 250)
    sky = np.clip(rng.normal([235, 225, 215], 15), 120, 255)
    half, wide = HEIGHT // 2, WIDTH // 2
    coarse = sample_noise(rng, 6, half, wide).astype(np.float32)
    fine = sample_noise(rng, 2, half, wide).astype(np.float32)
    relief = sample_noise(rng, 3, half + 2, wide + 2).astype(np.float32)
    brightness = (0.5 * coarse + 0.3 * fine - 90) / 90 + (relief[2:, 2:] - relief[:-2, :-2]) / 130
    gaps = (coarse + 0.5 * fine - np.linspace(195, 300, half, dtype=np.float32)[:, None]) / 25
    small = dark + (light - dark) * np.clip(brightness, 0, 1)[..., None]
    small += (sky - small) * np.clip(gaps, 0, 1)[..., None]
    image: np.ndarray = cv2.resize(small.astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(rng.integers(0, 4)):
        x, w = rng.uniform(0, WIDTH), rng.uniform(8, 40)
        lean = rng.uniform(-40, 40)
        fill_polygon(
            image,
            np.array([(x - w / 2, HEIGHT), (x + w / 2, HEIGHT), (x + lean + w / 3, -5), (x + lean - w / 3, -5)]),
            tuple(0.5 * dark + 20),
        )
    if rng.random() < 0.6:
        ground = round(rng.uniform(330, 440))
        image[ground:] = cv2.addWeighted(
            image[ground:], 0.4, _gradient(tuple(light), tuple(light))[ground:], 0.5, 0
        )
    return image


def _render_night_lights(rng: np.random.Generator) -> np.ndarray:
    """Render a night with out-of-focus lights."""
    dark = np.clip(rng.normal([50, 40, 35], 15), 5, 100)
    image = _gradient(tuple(dark), tuple(np.clip(dark * 1.6, 0, 255)))
    glow = np.zeros_like(image)
    size = rng.uniform(6, 26)
    for _ in range(rng.integers(15, 45)):
        radius = size * rng.uniform(0.7, 1.2)
        at = (rng.uniform(0, WIDTH), rng.uniform(0, 0.8 * HEIGHT))
        colour = np.clip(rng.normal([110, 170, 225], 45), 20, 255) * rng.uniform(0.15, 0.8)
        fill_ellipse(glow, at, (radius, radius), tuple(colour))
        fill_ellipse(glow, at, (0.88 * radius, 0.88 * radius), tuple(0.8 * colour))
    combined: np.ndarray = cv2.add(image, cv2.GaussianBlur(glow, (5, 5), 0))
    return combined


def _render_gradient(rng: np.random.Generator) -> np.ndarray:
    """Render a blurred wall or sky."""
    return _gradient(_muted_colour(rng), _muted_colour(rng))


_PLACES = (
    *(_render_room,) * 4,
    _render_library,
    *(_render_street,) * 3,
    *(_render_foliage,) * 3,
    _render_night_lights,
    _render_gradient,
)


def render_background(rng: np.random.Generator) -> np.ndarray:
    """Render a random place, (HEIGHT, WIDTH, 3) uint8, with uneven light and a surface texture."""
    image: np.ndarray = _PLACES[rng.integers(len(_PLACES))](rng)
    image = cv2.multiply(image, _uneven_light(rng), scale=1 / 200)
    surface = cv2.cvtColor(sample_noise(rng, int(rng.integers(1, 4)), HEIGHT, WIDTH), cv2.COLOR_GRAY2BGR)
    amount = float(rng.uniform(0.0, 0.08))
    image = cv2.addWeighted(image, 1, surface, amount, -128 * amount)
    return image


def _uneven_light(rng: np.random.Generator) -> np.ndarray:
    """Return the light of a lamp or window with soft shadows, (HEIGHT, WIDTH, 3) uint8; 200 is neutral."""
    y, x = np.mgrid[0:1:30j, 0:1:45j]
    cx, cy, wide = rng.uniform(-0.1, 1.1), rng.uniform(-0.2, 0.7), rng.uniform(0.3, 1.0)
    pool = np.exp(-((x - cx) ** 2 + 0.6 * (y - cy) ** 2) / wide**2)
    clouds = sample_noise(rng, 3, 30, 45).astype(np.float64) - 128
    low = rng.uniform(80, 180)
    level = low + (250 - low) * pool + rng.uniform(0.05, 0.25) * clouds
    enlarged = cv2.resize(level.clip(40, 255).astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    light: np.ndarray = cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR)
    return light


def defocus(image: np.ndarray, blur: float) -> np.ndarray:
    """Blur an image, or a mask of its size, with a standard deviation of `blur` px."""
    if blur < 0.4:
        return image
    if blur < 2:
        blurred: np.ndarray = cv2.GaussianBlur(image, (0, 0), blur)
        return blurred
    small = cv2.resize(image, (WIDTH // 4, HEIGHT // 4), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), blur / 4)
    blurred = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return blurred


def add_foreground(image: np.ndarray, rng: np.random.Generator, below: float) -> np.ndarray:
    """Return the image with a blurred object in front of the people: a table, a shoulder, a plant or a rail.

    Only plants, which are at the sides, extend above row `below`, so that faces stay visible.
    """
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    draw = _FOREGROUND_OBJECTS[rng.choice(list(_FOREGROUND_OBJECTS))]
    draw(mask, rng, below)
    blur = float(rng.uniform(0.8, 5))
    weight = defocus(mask, blur).astype(np.float32) / 255
    colour = _gradient(_muted_colour(rng, 0.7), _muted_colour(rng, 0.35))
    blended: np.ndarray = cv2.blendLinear(colour, image, weight, 1 - weight)
    return blended


def _mask_table(mask: np.ndarray, rng: np.random.Generator, below: float) -> None:
    y = max(below + rng.uniform(0, 60), 330)
    tilt = rng.uniform(-15, 15)
    top = np.array([(-5, y - tilt), (WIDTH + 5, y + tilt), (WIDTH + 5, HEIGHT + 5), (-5, HEIGHT + 5)])
    fill_polygon(mask, top, (255,))
    for _ in range(rng.integers(0, 4)):
        x, w, h = rng.uniform(20, WIDTH - 20), rng.uniform(6, 18), rng.uniform(20, 60)
        fill_polygon(mask, np.array([(x - w, y + 8), (x - w, y - h), (x + w, y - h), (x + w, y + 8)]), (255,))


def _mask_shoulder(mask: np.ndarray, rng: np.random.Generator, below: float) -> None:
    side = rng.choice([-1, 1])
    x, y, r = (0 if side < 0 else WIDTH) + side * rng.uniform(-60, 30), max(below, 300), rng.uniform(90, 150)
    fill_ellipse(mask, (x, y + 1.5 * r), (r * 1.25, r), (255,))
    fill_ellipse(mask, (x, y + 0.35 * r), (0.42 * r, 0.5 * r), (255,))


def _mask_plant(mask: np.ndarray, rng: np.random.Generator, below: float) -> None:
    side = rng.choice([-1, 1])
    root = np.array([0 if side < 0 else WIDTH, HEIGHT + 20])
    for _ in range(rng.integers(6, 14)):
        angle, length = rng.uniform(0.1, 1.5), rng.uniform(80, 250)
        tip = root + length * np.array([-side * np.cos(angle), -np.sin(angle)])
        middle = (root + tip) / 2 + rng.normal(0, 15, 2)
        across = np.array([np.sin(angle), -side * np.cos(angle)]) * rng.uniform(6, 16)
        fill_polygon(mask, catmull_rom(np.stack([root, middle + across, tip, middle - across]), True), (255,))


def _mask_rail(mask: np.ndarray, rng: np.random.Generator, below: float) -> None:
    y, w = max(below + rng.uniform(0, 80), 330), rng.uniform(5, 16)
    _fill_box(mask, 0, y, WIDTH, w, (255,))
    for x in np.arange(rng.uniform(0, 100), WIDTH, rng.uniform(60, 200)):
        _fill_box(mask, x, y, 0.7 * w, HEIGHT, (255,))


_FOREGROUND_OBJECTS: dict[str, Callable[[np.ndarray, np.random.Generator, float], None]] = {
    "table": _mask_table,
    "shoulder": _mask_shoulder,
    "plant": _mask_plant,
    "rail": _mask_rail,
}
