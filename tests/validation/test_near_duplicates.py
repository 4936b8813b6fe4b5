from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from splitpose.validation.near_duplicates import (
    MAX_HAMMING_DISTANCE,
    hamming_distances,
    pack_hashes,
    perceptual_hash,
)


def reencoded(grey: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


def resized(grey: np.ndarray, width: int, height: int) -> np.ndarray:
    return reencoded(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), 75)


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "low quality": lambda grey: reencoded(grey, 30),
    "half size": lambda grey: resized(grey, grey.shape[1] // 2, grey.shape[0] // 2),
    "square": lambda grey: resized(grey, 300, 300),
    "letterboxed": lambda grey: reencoded(cv2.copyMakeBorder(grey, 60, 60, 0, 0, cv2.BORDER_CONSTANT), 80),
    "pillarboxed": lambda grey: reencoded(cv2.copyMakeBorder(grey, 0, 0, 90, 90, cv2.BORDER_CONSTANT), 80),
    "darker": lambda grey: reencoded((grey * 0.7).astype(np.uint8), 85),
}


@pytest.fixture(scope="module")
def photographs(shared: Path) -> list[np.ndarray]:
    paths = sorted((shared / "coco_mini/images").glob("*.jpg")) + sorted((shared / "flic/images").glob("*.jpg"))
    return [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]


@pytest.mark.parametrize("copy", COPIES)
def test_copies_of_photographs_are_near_duplicates(copy: str, photographs: list[np.ndarray]) -> None:
    for grey in photographs:
        original, copied = perceptual_hash(grey), perceptual_hash(COPIES[copy](grey))
        assert original and copied
        assert hamming_distances(pack_hashes([original]), pack_hashes([copied]))[0, 0] <= MAX_HAMMING_DISTANCE


def test_different_photographs_have_distant_hashes(photographs: list[np.ndarray]) -> None:
    hashes = pack_hashes([text for grey in photographs if (text := perceptual_hash(grey))])
    assert len(hashes) == len(photographs) == 137
    distances = hamming_distances(hashes, hashes)
    assert distances[~np.eye(137, dtype=bool)].min() == 80


def test_hamming_distances_of_known_hashes() -> None:
    zeros, one_bit, ones = "0" * 64, "8" + "0" * 63, "f" * 64
    assert hamming_distances(pack_hashes([zeros, one_bit]), pack_hashes([zeros, one_bit, ones])).tolist() == [
        [0, 1, 256],
        [1, 0, 255],
    ]


def test_uniform_and_small_images_have_no_hash() -> None:
    noise = np.random.default_rng(0).normal(90, 8, (480, 720)).clip(0, 255).astype(np.uint8)
    ramp = np.tile(np.linspace(30, 255, 720).astype(np.uint8), (480, 1))
    halves = np.repeat(np.array([[30] * 360 + [220] * 360], np.uint8), 480, axis=0)
    uniform = [
        np.zeros((480, 720), np.uint8),
        np.full((480, 720), 200, np.uint8),
        noise,
        ramp,
        ramp[:, ::-1],
        halves,
    ]
    small = np.random.default_rng(0).integers(30, 255, (100, 16)).astype(np.uint8)
    assert [perceptual_hash(grey) for grey in [*uniform, small]] == [None] * 7
