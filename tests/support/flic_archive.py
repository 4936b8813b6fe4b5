"""A small archive in FLIC's layout, and functions to write others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.io import savemat

from splitpose.skeleton import JOINTS

Row = dict[str, Any]
"""A record of `examples`: MATLAB values by field."""

JOINTS_OF_COORDS = [0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16]

PEOPLE = 30
WIDTH, HEIGHT = 100, 80

POSE = np.array(
    [(60, 30), (66, 45), (64, 58), (40, 30), (34, 45), (36, 58), (56, 66), (44, 66), (53, 12), (47, 12), (50, 15)],
    np.float64,
)
"""A person in skeleton order; the torso is 39.4 px."""


def coords_of(joints: np.ndarray) -> np.ndarray:
    """Convert joints (K, 2) in px to FLIC's 2 x 29 array."""
    coords = np.full((2, 29), np.nan)
    coords[:, JOINTS_OF_COORDS] = joints.T
    return coords


def row(joints: np.ndarray = POSE, **changes: Any) -> Row:
    """Return a record with the types of MATLAB's own file."""
    assert joints.shape == (len(JOINTS), 2)
    return {
        "poselet_hit_idx": np.array([[1, 5]], np.uint16),
        "moviename": "some-film",
        "coords": coords_of(joints),
        "filepath": "some-film-00000123.jpg",
        "imgdims": np.array([[HEIGHT, WIDTH, 3.0]]),
        "currframe": np.array([[123.0]]),
        "torsobox": np.array([[38.25, 28, 62, 68.5]], np.float32),
        "istrain": np.array([[1]], np.uint8),
        "istest": np.array([[0]], np.uint8),
        **changes,
    }


def struct(rows: Sequence[Row]) -> np.ndarray:
    """Return a 1 x N struct array, as MATLAB stores it."""
    records = np.empty((1, len(rows)), [(field, object) for field in rows[0]])
    for number, fields in enumerate(rows):
        records[0, number] = tuple(fields.values())
    return records


def save(root: Path, *rows: Row, folder: str = "FLIC") -> Path:
    """Write examples.mat without images and return `root`."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    savemat(root / folder / "examples.mat", {"examples": struct(rows)})
    return root


def valid_rows() -> list[Row]:
    """Return PEOPLE valid rows in 3 films, one per image; the last film is for test."""
    rows = []
    for number in range(PEOPLE):
        film = f"film-{number // 10}"
        test = number >= 20
        rows.append(
            row(
                POSE + 0.25 * (number % 10),
                moviename=film,
                filepath=f"{film}-{number:08}.jpg",
                currframe=np.array([[float(number)]]),
                istrain=np.array([[not test]], np.uint8),
                istest=np.array([[test]], np.uint8),
            )
        )
    return rows


def write_images(root: Path, rows: Sequence[Row]) -> None:
    """Write the images of the rows."""
    images = root / "FLIC" / "images"
    images.mkdir(parents=True)
    for number, fields in enumerate(rows):
        cv2.imwrite(str(images / fields["filepath"]), np.full((HEIGHT, WIDTH, 3), 5 * number, np.uint8))
