"""Places that people stand in, and things that stand before them."""

import cv2
import numpy as np

from splitpose.synthetic.appearance import CLOTHS, Colour
from splitpose.synthetic.paint import ellipse, noise_patch, polygon, smooth, stroke
from splitpose.synthetic.poses import HEIGHT, WIDTH

WARM = np.array([0.86, 0.98, 1.1])
"""Grey things in lamplight."""


def _colour(rng: np.random.Generator, light: float = 1.0) -> Colour:
    """A muted colour: places are greyer than clothes."""
    base = np.array(CLOTHS[rng.integers(len(CLOTHS))], np.float64)
    muted = 0.4 * base + 0.6 * base.mean() * WARM
    b, g, r = np.clip((0.7 * muted + rng.uniform(15, 100)) * light, 5, 245).tolist()
    return b, g, r


def _gradient(top: Colour, bottom: Colour) -> np.ndarray:
    share = np.linspace(0, 1, HEIGHT)[:, None, None]
    column = (1 - share) * np.array(top) + share * np.array(bottom)
    return cv2.resize(column.astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)


def _box(picture: np.ndarray, x: float, y: float, width: float, height: float, colour: Colour) -> None:
    cv2.rectangle(picture, (round(x), round(y)), (round(x + width), round(y + height)), colour, -1)


def room(rng: np.random.Generator) -> np.ndarray:
    """Wall and floor, with pictures, a window, a door, curtains or a lamp."""
    wall = _colour(rng)
    picture = _gradient(wall, tuple(0.75 * c for c in wall))
    floor = rng.uniform(360, 470)
    _box(picture, 0, floor, WIDTH, HEIGHT, _colour(rng, 0.6))
    _box(picture, 0, floor - 12, WIDTH, 12, tuple(0.6 * c for c in wall))
    if rng.random() < 0.4:
        period = rng.integers(16, 70)
        for left in range(0, WIDTH, int(period)):
            _box(picture, left, 0, period * 0.3, floor - 12, tuple(0.92 * c for c in wall))
    for _ in range(rng.integers(1, 5)):
        thing = rng.choice(["frame", "window", "door", "curtain", "lamp", "shelf"])
        x = rng.uniform(-60, WIDTH - 60)
        if thing == "frame":
            w, h, y = rng.uniform(50, 150), rng.uniform(50, 140), rng.uniform(10, 160)
            _box(picture, x, y, w, h, _colour(rng, 0.4))
            _box(picture, x + 7, y + 7, w - 14, h - 14, _colour(rng, 1.1))
            ellipse(picture, (x + w / 2, y + h / 2), (w / 5, h / 4), _colour(rng))
        elif thing == "window":
            w, h, y = rng.uniform(90, 220), rng.uniform(140, 290), rng.uniform(-40, 60)
            _box(picture, x - 8, y - 8, w + 16, h + 16, _colour(rng, 1.2))
            _box(picture, x, y, w, h, tuple(np.clip(rng.normal([235, 225, 205], 25), 60, 250)))
            for share in (1 / 3, 2 / 3):
                _box(picture, x + share * w - 3, y, 6, h, _colour(rng, 0.8))
            _box(picture, x, y + h / 2 - 3, w, 6, _colour(rng, 0.8))
        elif thing == "door":
            w, y = rng.uniform(100, 160), rng.uniform(10, 90)
            colour = _colour(rng, 0.7)
            _box(picture, x - 8, y - 8, w + 16, HEIGHT, tuple(0.7 * c for c in colour))
            _box(picture, x, y, w, floor - y, colour)
            for level in (0.08, 0.55):
                _box(
                    picture,
                    x + 0.15 * w,
                    y + level * (floor - y),
                    0.7 * w,
                    0.36 * (floor - y),
                    tuple(0.85 * c for c in colour),
                )
        elif thing == "curtain":
            fabric = np.array(_colour(rng))
            for k in range(12):
                _box(picture, x + 9 * k, 0, 9, floor, tuple(fabric * (0.75 + 0.25 * np.sin(1.7 * k))))
        elif thing == "lamp":
            y = rng.uniform(90, 220)
            stroke(picture, np.array([(x, y), (x, floor)]), (40, 50, 60), 5)
            polygon(
                picture,
                np.array([(x - 22, y - 50), (x + 22, y - 50), (x + 42, y), (x - 42, y)]),
                (170, 225, 250),
            )
        else:
            _shelf(picture, rng, x, rng.uniform(0, 120), rng.uniform(140, 330), floor)
    return picture


def _shelf(picture: np.ndarray, rng: np.random.Generator, x: float, y: float, width: float, floor: float) -> None:
    wood = _colour(rng, 0.5)
    _box(picture, x, y, width, floor - y, wood)
    step = float(rng.uniform(50, 80))
    colours = [_colour(rng) for _ in range(9)]
    for level in np.arange(y + 8, floor - step, step):
        _box(picture, x + 6, level, width - 12, step - 8, tuple(0.5 * c for c in wood))
        widths = rng.uniform(5, 17, int(width / 5))
        starts = x + 8 + np.cumsum(widths) - widths
        heights = (step - 8) * rng.uniform(0.6, 0.97, len(widths))
        for at, w, h, book in zip(
            starts, widths, heights, rng.integers(len(colours), size=len(widths)), strict=True
        ):
            if at + w < x + width - 6:
                _box(picture, at, level + step - 8 - h, w - 1, h, colours[book])


def library(rng: np.random.Generator) -> np.ndarray:
    """Shelves of books from side to side."""
    picture = _gradient(_colour(rng), _colour(rng, 0.6))
    _shelf(picture, rng, -20, -20, WIDTH + 40, HEIGHT + 60)
    return picture


def street(rng: np.random.Generator) -> np.ndarray:
    """House fronts with windows, a pavement, cars or posts."""
    picture = _gradient(tuple(np.clip(rng.normal([220, 205, 190], 25), 60, 250)), _colour(rng))
    ground = rng.uniform(340, 440)
    x = -40.0
    while x < WIDTH:
        w, top = rng.uniform(90, 260), rng.uniform(-80, 140)
        front = np.array(_colour(rng))
        _box(picture, x, top, w, HEIGHT, tuple(front))
        columns, rows = int(rng.integers(2, 6)), int(rng.integers(3, 7))
        glass = tuple(front * rng.uniform(0.3, 0.6)) if rng.random() < 0.7 else (150, 215, 245)
        for i in range(columns):
            for k in range(rows):
                wx, wy = x + w * (i + 0.25) / columns, top + 20 + (ground - top - 30) * k / rows
                _box(picture, wx, wy, w * 0.5 / columns, 0.6 * (ground - top) / rows, glass)
        x += w + rng.uniform(0, 30)
    _box(picture, 0, ground, WIDTH, HEIGHT, _colour(rng, 0.7))
    for _ in range(rng.integers(0, 4)):
        cx, w = rng.uniform(0, WIDTH), rng.uniform(60, 130)
        colour = _colour(rng)
        polygon(
            picture,
            smooth(
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
            ellipse(picture, (cx + wheel * w, ground + 30), (0.2 * w, 0.2 * w), (30, 30, 30))
    return picture


def leaves(rng: np.random.Generator) -> np.ndarray:
    """Trees or hedges with light between the leaves, over grass or a path."""
    dark = np.clip(rng.normal([30, 60, 40], 15), 5, 120)
    light = np.clip(rng.normal([90, 160, 130], 30), 40, 250)
    sky = np.clip(rng.normal([235, 225, 215], 15), 120, 255)
    half, wide = HEIGHT // 2, WIDTH // 2
    coarse = noise_patch(rng, 6, half, wide).astype(np.float32)
    fine = noise_patch(rng, 2, half, wide).astype(np.float32)
    relief = noise_patch(rng, 3, half + 2, wide + 2).astype(np.float32)
    share = (0.5 * coarse + 0.3 * fine - 90) / 90 + (relief[2:, 2:] - relief[:-2, :-2]) / 130
    gaps = (coarse + 0.5 * fine - np.linspace(195, 300, half, dtype=np.float32)[:, None]) / 25
    small = dark + (light - dark) * np.clip(share, 0, 1)[..., None]
    small += (sky - small) * np.clip(gaps, 0, 1)[..., None]
    picture = cv2.resize(small.astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(rng.integers(0, 4)):
        x, w = rng.uniform(0, WIDTH), rng.uniform(8, 40)
        lean = rng.uniform(-40, 40)
        polygon(
            picture,
            np.array([(x - w / 2, HEIGHT), (x + w / 2, HEIGHT), (x + lean + w / 3, -5), (x + lean - w / 3, -5)]),
            tuple(0.5 * dark + 20),
        )
    if rng.random() < 0.6:
        ground = round(rng.uniform(330, 440))
        picture[ground:] = cv2.addWeighted(
            picture[ground:], 0.4, _gradient(tuple(light), tuple(light))[ground:], 0.5, 0
        )
    return picture


def lights(rng: np.random.Generator) -> np.ndarray:
    """Night with lights far out of focus."""
    dark = np.clip(rng.normal([50, 40, 35], 15), 5, 100)
    picture = _gradient(tuple(dark), tuple(np.clip(dark * 1.6, 0, 255)))
    glow = np.zeros_like(picture)
    size = rng.uniform(6, 26)
    for _ in range(rng.integers(15, 45)):
        radius = size * rng.uniform(0.7, 1.2)
        at = (rng.uniform(0, WIDTH), rng.uniform(0, 0.8 * HEIGHT))
        colour = np.clip(rng.normal([110, 170, 225], 45), 20, 255) * rng.uniform(0.15, 0.8)
        ellipse(glow, at, (radius, radius), tuple(colour))
        ellipse(glow, at, (0.88 * radius, 0.88 * radius), tuple(0.8 * colour))
    return cv2.add(picture, cv2.GaussianBlur(glow, (5, 5), 0))


def plain(rng: np.random.Generator) -> np.ndarray:
    """A blurred wall or sky: a gradient and slow noise."""
    return _gradient(_colour(rng), _colour(rng))


PLACES = (room, room, room, room, library, street, street, street, leaves, leaves, leaves, lights, plain)


def draw(rng: np.random.Generator) -> np.ndarray:
    """A place at random, (HEIGHT, WIDTH, 3) uint8, with uneven light and the texture of a surface."""
    picture = PLACES[rng.integers(len(PLACES))](rng)
    picture = cv2.multiply(picture, _uneven_light(rng), scale=1 / 200)
    surface = cv2.cvtColor(noise_patch(rng, int(rng.integers(1, 4)), HEIGHT, WIDTH), cv2.COLOR_GRAY2BGR)
    amount = float(rng.uniform(0.0, 0.08))
    return cv2.addWeighted(picture, 1, surface, amount, -128 * amount)


def _uneven_light(rng: np.random.Generator) -> np.ndarray:
    """Light that a lamp or a window throws, and clouds of shade; (HEIGHT, WIDTH, 3) uint8, 200 is 1."""
    y, x = np.mgrid[0:1:30j, 0:1:45j]
    cx, cy, wide = rng.uniform(-0.1, 1.1), rng.uniform(-0.2, 0.7), rng.uniform(0.3, 1.0)
    pool = np.exp(-((x - cx) ** 2 + 0.6 * (y - cy) ** 2) / wide**2)
    clouds = noise_patch(rng, 3, 30, 45).astype(np.float64) - 128
    low = rng.uniform(80, 180)
    level = low + (250 - low) * pool + rng.uniform(0.05, 0.25) * clouds
    grown = cv2.resize(level.clip(40, 255).astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(grown, cv2.COLOR_GRAY2BGR)


def out_of_focus(picture: np.ndarray, blur: float) -> np.ndarray:
    """The picture, or a mask of its size, blurred by a standard deviation of `blur` px."""
    if blur < 0.4:
        return picture
    if blur < 2:
        return cv2.GaussianBlur(picture, (0, 0), blur)
    small = cv2.resize(picture, (WIDTH // 4, HEIGHT // 4), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), blur / 4), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


def foreground(picture: np.ndarray, rng: np.random.Generator, below: float) -> np.ndarray:
    """The picture with something before the people: a table, a shoulder, a plant, a post or a rail.

    Only posts and plants at a side reach above row `below`, so faces stay free.
    """
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    kind = rng.choice(["table", "shoulder", "plant", "rail"])
    if kind == "table":
        y = max(below + rng.uniform(0, 60), 330)
        tilt = rng.uniform(-15, 15)
        polygon(
            mask,
            np.array([(-5, y - tilt), (WIDTH + 5, y + tilt), (WIDTH + 5, HEIGHT + 5), (-5, HEIGHT + 5)]),
            (255,),
        )
        for _ in range(rng.integers(0, 4)):
            x, w, h = rng.uniform(20, WIDTH - 20), rng.uniform(6, 18), rng.uniform(20, 60)
            polygon(mask, np.array([(x - w, y + 8), (x - w, y - h), (x + w, y - h), (x + w, y + 8)]), (255,))
    elif kind == "shoulder":
        side = rng.choice([-1, 1])
        x, y, r = (
            (0 if side < 0 else WIDTH) + side * rng.uniform(-60, 30),
            max(below, 300),
            rng.uniform(90, 150),
        )
        ellipse(mask, (x, y + 1.5 * r), (r * 1.25, r), (255,))
        ellipse(mask, (x, y + 0.35 * r), (0.42 * r, 0.5 * r), (255,))
    elif kind == "plant":
        side = rng.choice([-1, 1])
        root = np.array([0 if side < 0 else WIDTH, HEIGHT + 20])
        for _ in range(rng.integers(6, 14)):
            angle, length = rng.uniform(0.1, 1.5), rng.uniform(80, 250)
            tip = root + length * np.array([-side * np.cos(angle), -np.sin(angle)])
            bow = (root + tip) / 2 + rng.normal(0, 15, 2)
            across = np.array([np.sin(angle), -side * np.cos(angle)]) * rng.uniform(6, 16)
            polygon(mask, smooth(np.stack([root, bow + across, tip, bow - across]), True), (255,))
    else:
        y, w = max(below + rng.uniform(0, 80), 330), rng.uniform(5, 16)
        _box_mask(mask, 0, y, WIDTH, w)
        for x in np.arange(rng.uniform(0, 100), WIDTH, rng.uniform(60, 200)):
            _box_mask(mask, x, y, 0.7 * w, HEIGHT)
    blur = float(rng.uniform(0.8, 5))
    weight = out_of_focus(mask, blur).astype(np.float32) / 255
    colour = _gradient(_colour(rng, 0.7), _colour(rng, 0.35))
    return cv2.blendLinear(colour, picture, weight, 1 - weight)


def _box_mask(mask: np.ndarray, x: float, y: float, width: float, height: float) -> None:
    cv2.rectangle(mask, (round(x), round(y)), (round(x + width), round(y + height)), (255,), -1)
