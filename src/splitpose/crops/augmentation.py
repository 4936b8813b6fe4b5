"""Extraction of crops, with seeded augmentation for training: rotation, scale, shift, flip and colour jitter."""

from zlib import crc32

import cv2
import numpy as np

from splitpose.crops.crop import Crop
from splitpose.crops.geometry import ImagePyramid, apply_affine, crop_affine
from splitpose.crops.instances import Instance
from splitpose.settings import Crops
from splitpose.skeleton import FLIP_INDICES


def extract_crops(instance: Instance, image: ImagePyramid, settings: Crops, split: str) -> list[Crop]:
    """Return the crops of an instance, pixels in BGR: augmented copies for training, otherwise one plain crop."""
    if split != "train":
        return [extract_crop(instance, image, settings.size)]
    return [extract_augmented_crop(instance, image, settings, copy) for copy in range(settings.copies_per_instance)]


def extract_crop(instance: Instance, image: ImagePyramid, size: int) -> Crop:
    """Return the crop without augmentation, as for validation, test and inference."""
    affine = crop_affine(instance.region, size)
    return Crop(instance.id, image.warp(affine, size), apply_affine(affine, instance.joints), affine)


def extract_augmented_crop(instance: Instance, image: ImagePyramid, settings: Crops, copy: int) -> Crop:
    """Return one augmented copy of a training crop.

    The random numbers depend only on the seed, the instance's id and the number of the copy.
    """
    rng = np.random.default_rng([settings.seed, crc32(instance.id.encode()), copy])
    flip = bool(rng.random() < settings.horizontal_flip_prob)
    affine = crop_affine(
        instance.region,
        settings.size,
        rotation=rng.uniform(-settings.rotation, settings.rotation),
        scale=rng.uniform(*settings.scale),
        shift=tuple(rng.uniform(-settings.shift, settings.shift, 2)),
        flip=flip,
    )
    pixels = image.warp(affine, settings.size)
    if settings.brightness:
        pixels = _jitter_colours(pixels, settings.brightness, rng)
    joints = apply_affine(affine, instance.joints)
    return Crop(instance.id, pixels, joints[FLIP_INDICES] if flip else joints, affine)


def _jitter_colours(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Change contrast and brightness by up to +/- `strength`, and each colour channel a little independently."""
    contrast = 1 + rng.uniform(-strength, strength)
    brightness = 255 * rng.uniform(-strength, strength) / 2
    tint = 1 + rng.uniform(-strength, strength, 3) / 4
    levels = (np.arange(256)[:, None] - 127.5) * contrast * tint + 127.5 + brightness
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    jittered: np.ndarray = cv2.LUT(pixels, table[None])
    return jittered
