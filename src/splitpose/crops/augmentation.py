"""Seeded changes of a training crop: rotation, scale, shift, mirroring with sides swapped, light."""

from zlib import crc32

import cv2
import numpy as np

from splitpose.crops.crop import Crop
from splitpose.crops.geometry import Picture, apply, crop_affine
from splitpose.crops.instances import Person
from splitpose.settings import Crops
from splitpose.skeleton import FLIP_INDICES


def crops_of(person: Person, picture: Picture, settings: Crops, split: str) -> list[Crop]:
    """The crops of a person, pixels in BGR: augmented copies for training, else the one as it is."""
    if split != "train":
        return [plain(person, picture, settings.size)]
    return [augmented(person, picture, settings, copy) for copy in range(settings.copies_per_instance)]


def plain(person: Person, picture: Picture, size: int) -> Crop:
    """The crop as it is, for validation, test and use."""
    affine = crop_affine(person.region, size)
    return Crop(person.id, picture.cut(affine, size), apply(affine, person.joints), affine)


def augmented(person: Person, picture: Picture, settings: Crops, copy: int) -> Crop:
    """One of a training person's copies; its chance depends on the seed, the id and the copy's number alone."""
    rng = np.random.default_rng([settings.seed, crc32(person.id.encode()), copy])
    mirror = bool(rng.random() < settings.horizontal_flip_prob)
    affine = crop_affine(
        person.region,
        settings.size,
        rotation=rng.uniform(-settings.rotation, settings.rotation),
        scale=rng.uniform(*settings.scale),
        shift=tuple(rng.uniform(-settings.shift, settings.shift, 2)),
        mirror=mirror,
    )
    pixels = picture.cut(affine, settings.size)
    if settings.brightness:
        pixels = _relit(pixels, settings.brightness, rng)
    moved = apply(affine, person.joints)
    return Crop(person.id, pixels, moved[FLIP_INDICES] if mirror else moved, affine)


def _relit(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Contrast and brightness changed by up to +/- `strength`, each colour a little on its own."""
    contrast = 1 + rng.uniform(-strength, strength)
    brightness = 255 * rng.uniform(-strength, strength) / 2
    tint = 1 + rng.uniform(-strength, strength, 3) / 4
    levels = (np.arange(256)[:, None] - 127.5) * contrast * tint + 127.5 + brightness
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    relit: np.ndarray = cv2.LUT(pixels, table[None])
    return relit
