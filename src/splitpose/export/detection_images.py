"""The images that person thresholds are calibrated and measured on: with people, and without."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose import images
from splitpose.errors import InputError
from splitpose.inference.file_type import IMAGE_SUFFIXES
from splitpose.settings import PersonDetection
from splitpose.synthetic.scene import render_empty_scene

SPLITS = ("val", "test")
"""The threshold is chosen on images of the first split, its errors are measured on those of the second."""

PEOPLE_SEED, FOLDER_SEED, RENDERING_SEED = 0, 1, 2
"""Second part of the random seeds of the selection of images with people and without, and of rendered ones."""


@dataclass(frozen=True)
class DetectionImages:
    """Images with people, and images without, read or rendered one after the other.

    Args:
        table: annotation table.
        data: folder that the table's image paths are relative to.
        settings: the profile's `person_detection`.
    """

    table: pd.DataFrame
    data: Path
    settings: PersonDetection

    def people(self, split: str) -> Iterator[np.ndarray]:
        """Yield images (H, W, 3) uint8 BGR with people of a split, at most `settings.images`.

        Raises:
            InputError: An image is missing or not readable.
        """
        rows = self.table[self.table["split"] == split].drop_duplicates("image").sort_values("image")
        for index in self._select(len(rows), PEOPLE_SEED):
            row = rows.iloc[index]
            yield images.read(self.data / row["image"], (int(row["width"]), int(row["height"])))

    def empty(self, split: str) -> Iterator[np.ndarray]:
        """Yield images (H, W, 3) uint8 BGR without people, at most `settings.images`, others for each split.

        Raises:
            InputError: The folder of background images has less than two images, or one is not readable.
        """
        part = SPLITS.index(split)
        if self.settings.background_images is None:
            for index in range(self.settings.images):
                yield render_empty_scene(np.random.default_rng([self.settings.seed, RENDERING_SEED, part, index]))
            return
        paths = list_images(Path(self.settings.background_images).expanduser())
        order = np.random.default_rng([self.settings.seed, FOLDER_SEED]).permutation(len(paths))
        for index in order[part::2][: self.settings.images]:
            yield images.read(paths[index])

    def _select(self, total: int, seed: int) -> list[int]:
        order: list[int] = np.random.default_rng([self.settings.seed, seed]).permutation(total).tolist()
        return order[: self.settings.images]


def list_images(folder: Path) -> list[Path]:
    """Return the images in a folder and its subfolders, sorted, without hidden ones; at least two."""
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if len(paths) < len(SPLITS):
        raise InputError(
            f"person_detection.background_images: {folder}: has {len(paths)} images; add images without people, at "
            "least two, or set it to null"
        )
    return paths
