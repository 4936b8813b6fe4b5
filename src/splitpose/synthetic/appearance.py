"""Random appearance of a synthetic person: skin, hair and clothes. Colours are BGR in 0-255."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from splitpose.synthetic.canvas import sample_noise

Colour = tuple[float, ...]

TILE_SIZE = 128
"""Side of a cloth texture tile, px."""

CLOTH_SCALE = 200.0
"""Pixels of the cloth texture per torso unit."""

SKIN_COLOURS: list[Colour] = [
    (196, 214, 246), (178, 200, 238), (160, 186, 232), (140, 170, 222), (120, 152, 208),
    (98, 132, 190), (78, 108, 164), (58, 84, 134), (44, 64, 104), (34, 48, 80),
]  # fmt: skip
HAIR_COLOURS: list[Colour] = [
    (20, 20, 24), (28, 34, 44), (32, 48, 74), (40, 66, 104), (58, 94, 140),
    (96, 148, 196), (140, 190, 222), (44, 62, 140), (150, 154, 158), (206, 208, 210),
]  # fmt: skip
CLOTH_COLOURS: list[Colour] = [
    (30, 30, 32), (52, 50, 50), (92, 90, 88), (150, 150, 150), (226, 228, 230), (200, 214, 226), (84, 52, 34),
    (120, 76, 40), (190, 140, 80), (220, 190, 150), (44, 40, 130), (40, 36, 180), (90, 80, 200),
    (160, 130, 220),
    (50, 84, 60), (60, 120, 80), (120, 170, 120), (40, 90, 140), (60, 130, 190), (90, 180, 220), (60, 70, 96),
    (110, 60, 100), (140, 90, 150), (100, 120, 140), (130, 160, 180),
]  # fmt: skip

Outfit = Literal["tee", "shirt", "suit", "sweater", "dress", "jacket"]
Hair = Literal["short", "side", "long", "bob", "bun", "curly", "bald", "hat"]
Beard = Literal["none", "stubble", "moustache", "full"]


@dataclass(frozen=True)
class Appearance:
    """A person's appearance; lengths are in torso units unless stated otherwise."""

    woman: bool
    skin: Colour
    hair: Colour
    hair_style: Hair
    hair_side: int
    beard: Beard
    glasses: bool
    mouth: float
    """Curvature of the mouth: negative frowns, positive smiles."""
    outfit: Outfit
    cloth: np.ndarray
    """Texture tile of the upper garment, (TILE_SIZE, TILE_SIZE, 3) uint8."""
    under: Colour
    """Colour of the shirt under a suit or jacket."""
    tie: Colour | None
    trim: Colour
    """Colour of a T-shirt's neckline."""
    sleeve: float
    """Where the sleeve ends along the arm: 0 shoulder, 1 elbow, 2 wrist."""
    looseness: float
    """Distance of the cloth from the body."""
    legs: Colour
    """Colour of trousers, skirt and hat."""
    skirt: bool
    build: float
    """Width of torso and legs relative to the average."""


def sample_appearance(rng: np.random.Generator) -> Appearance:
    """Sample a person's appearance."""
    woman = bool(rng.random() < 0.45)
    outfits: list[Outfit] = (
        ["tee", "shirt", "sweater", "dress", "dress", "jacket"]
        if woman
        else ["tee", "shirt", "shirt", "suit", "suit", "sweater", "jacket"]
    )
    outfit = outfits[rng.integers(len(outfits))]
    sleeves = {
        "tee": [0.5, 0.6, 0.75, 1.9],
        "dress": [0.0, 0.1, 0.3, 1.3, 1.9],
        "shirt": [0.7, 1.45, 1.9, 1.92],
    }
    sleeve_choices = sleeves.get(outfit, [1.86, 1.9])
    styles: list[Hair] = (
        ["long", "long", "bob", "bob", "bun", "curly", "side"]
        if woman
        else ["short", "short", "short", "side", "side", "curly", "bald", "hat"]
    )
    beards: list[Beard] = ["none", "none", "none", "none", "none", "none", "stubble", "moustache", "full"]
    colour = _sample_colour(rng, CLOTH_COLOURS, 18)
    if outfit == "suit":
        colour = _sample_colour(rng, [CLOTH_COLOURS[i] for i in (0, 1, 2, 6, 20, 23)], 10)
    return Appearance(
        woman=woman,
        skin=_sample_colour(rng, SKIN_COLOURS, 8),
        hair=_sample_colour(rng, HAIR_COLOURS, 8),
        hair_style=styles[rng.integers(len(styles))],
        hair_side=int(rng.choice([-1, 1])),
        beard="none" if woman else beards[rng.integers(len(beards))],
        glasses=bool(rng.random() < 0.15),
        mouth=float(rng.uniform(-0.4, 1)),
        outfit=outfit,
        cloth=_cloth_texture(rng, colour, plain_prob=0.75 if outfit in ("suit", "jacket") else 0.5),
        under=_sample_colour(rng, [CLOTH_COLOURS[i] for i in (4, 4, 5, 9, 3, 0)], 8),
        tie=_sample_colour(rng, CLOTH_COLOURS, 20) if outfit == "suit" and rng.random() < 0.75 else None,
        trim=_sample_colour(rng, CLOTH_COLOURS, 10),
        sleeve=float(sleeve_choices[rng.integers(len(sleeve_choices))]),
        looseness=float(rng.uniform(0.008, 0.03)),
        legs=_sample_colour(rng, [CLOTH_COLOURS[i] for i in (0, 1, 2, 6, 7, 20, 23, 17)], 12),
        skirt=woman and bool(rng.random() < 0.4 or outfit == "dress"),
        build=float(rng.uniform(0.88, 1.0) if woman else rng.uniform(0.95, 1.12)),
    )


def scale_colour(colour: Colour, factor: float = 0.6) -> Colour:
    """Return the colour with its brightness multiplied by `factor`."""
    return tuple(factor * value for value in colour)


def mean_colour(cloth: np.ndarray) -> Colour:
    """Return the average colour of a cloth texture."""
    return tuple(cloth.mean(axis=(0, 1)).tolist())


def sample_cloth(cloth: np.ndarray, across: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Sample the tiled cloth texture at the pixels `across` and `along`, broadcast to (h, w)."""
    colour: np.ndarray = cloth[along.astype(np.int32) & (TILE_SIZE - 1), across.astype(np.int32) & (TILE_SIZE - 1)]
    return colour


def _sample_colour(rng: np.random.Generator, colours: list[Colour], std: float) -> Colour:
    """Sample one of the colours and vary its brightness (standard deviation `std`) and channels (a third of it)."""
    colour = colours[rng.integers(len(colours))]
    brightness = rng.normal(0, std)
    b, g, r = (float(np.clip(value + brightness + rng.normal(0, std / 3), 4, 250)) for value in colour)
    return b, g, r


def _cloth_texture(rng: np.random.Generator, colour: Colour, plain_prob: float) -> np.ndarray:
    """Return a cloth texture, (TILE_SIZE, TILE_SIZE, 3) uint8: plain, stripes, checks, dots or a print."""
    tile = np.full((TILE_SIZE, TILE_SIZE, 3), colour, np.float32)
    second = np.array(_sample_colour(rng, CLOTH_COLOURS, 10), np.float32)
    period = int(rng.choice([8, 16, 32]))
    is_bar = np.arange(TILE_SIZE) % period < period * rng.uniform(0.15, 0.5)
    bars = is_bar.astype(np.float32) * rng.uniform(0.3, 1)
    if rng.random() >= plain_prob:
        kind = rng.choice(["across", "along", "checks", "dots", "print"])
        if kind == "across":
            weight = np.repeat(bars[:, None], TILE_SIZE, axis=1)
        elif kind == "along":
            weight = np.repeat(bars[None, :], TILE_SIZE, axis=0)
        elif kind == "checks":
            weight = (bars[:, None] + bars[None, :]) / 2
        elif kind == "dots":
            phase = 2 * np.pi * np.arange(TILE_SIZE) / max(period, 16)
            weight = (np.cos(phase)[:, None] + np.cos(phase)[None, :] > 1.1).astype(np.float32)
        else:
            weight = (sample_noise(rng, 4, TILE_SIZE, TILE_SIZE) > 150).astype(np.float32)
        tile += (second - tile) * weight[..., None]
    weave = sample_noise(rng, 1, TILE_SIZE, TILE_SIZE).astype(np.float32) - 128
    tile += (0.06 * weave)[..., None]
    texture: np.ndarray = cv2.GaussianBlur(np.clip(tile, 0, 255).astype(np.uint8), (3, 3), 0.6)
    return texture
