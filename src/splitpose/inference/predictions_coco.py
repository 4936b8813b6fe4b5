"""Predictions as COCO keypoints: a complete JSON, which labelling tools import, and a list of results with scores.

Formats: https://cocodataset.org/#format-data and #format-results. Keypoints are pixel indices: pixel
centres are at integers, as in the CSV. The corners of pixels are at integers in boxes, so 0.5 px is added there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from splitpose.errors import InputError
from splitpose.files import atomic_file
from splitpose.inference.pose_model import Prediction
from splitpose.settings import Viewpoint
from splitpose.skeleton import FULL_NAMES, INDEX, JOINTS, LIMBS

CATEGORY = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": [FULL_NAMES[joint].replace(" ", "_") for joint in JOINTS],
    "skeleton": [[INDEX[first] + 1, INDEX[second] + 1] for first, second in LIMBS],
}
"""The category of all annotations; the skeleton's edges are pairs of keypoint numbers from 1."""

SIDES: Mapping[Viewpoint, str] = {
    "person": "left and right are the person's own",
    "observer": "left and right are the observer's: swap them for people who are seen from behind",
}
"""Remark in the file, because COCO's left and right are the person's own and images do not show who is turned."""

LABELLED = 2
"""COCO's visibility of a joint that is labelled and visible; 0 is not labelled."""


@dataclass
class CocoPredictions:
    """Predictions of images, collected for a COCO JSON."""

    viewpoint: Viewpoint = "person"
    """The model's meaning of left and right."""
    _images: list[tuple[str, int, int]] = field(default_factory=list)
    _people: list[tuple[int, Prediction]] = field(default_factory=list)

    def add(self, file_name: str, pixels: np.ndarray, predictions: Sequence[tuple[str, Prediction]]) -> None:
        """Add an image (H, W, 3) as decoded, and the predictions of its people; those without joints are omitted.

        Args:
            file_name: name of the image in the JSON.
            pixels: the image, from which only the size is taken.
            predictions: predictions by id.
        """
        height, width = pixels.shape[:2]
        self._people += [(len(self._images), person) for _, person in predictions if person.region]
        self._images.append((file_name, width, height))

    def write_dataset(self, path: Path) -> None:
        """Write a complete COCO JSON.

        A joint that is predicted outside the image is not labelled, because tools cannot show it.
        """
        ids = _image_ids([name for name, _, _ in self._images])
        annotations = []
        for number, (image, person) in enumerate(self._people, 1):
            _, width, height = self._images[image]
            annotation = _annotation(person, _inside(person.joints, width, height))
            annotations.append({"id": number, "image_id": ids[image], **annotation})
        _write(
            {
                "info": {"description": f"Predictions of splitpose; {SIDES[self.viewpoint]}", "version": "1.0"},
                "licenses": [],
                "images": [
                    {"id": id, "file_name": name, "width": width, "height": height}
                    for id, (name, width, height) in zip(ids, self._images, strict=True)
                ],
                "categories": [CATEGORY],
                "annotations": annotations,
            },
            path,
        )

    def write_results(self, path: Path) -> None:
        """Write a list of results with scores, as `pycocotools` and other evaluations read it.

        Joints outside the image are included. The ids of the images are those of `write_dataset`.
        """
        ids = _image_ids([name for name, _, _ in self._images])
        keys = ("category_id", "keypoints", "bbox", "area", "score")
        annotations = [
            (ids[image], _annotation(person, np.isfinite(person.joints).all(axis=1)))
            for image, person in self._people
        ]
        _write([{"image_id": id} | {key: values[key] for key in keys} for id, values in annotations], path)


def check_output(path: Path | None, option: str) -> None:
    """Raise InputError if a file cannot be written because its path is a folder; `option` names it."""
    if path and path.is_dir():
        raise InputError(f"{option}: {path}: is a folder; give the path of a file in it")


def _image_ids(names: Sequence[str]) -> list[int]:
    """Return the numbers in the names of COCO's own images, 1, 2, 3 ... if any image has another name."""
    stems = [PurePosixPath(name).stem for name in names]
    numbers = [int(stem) for stem in stems if stem.isascii() and stem.isdigit()]
    return numbers if len(set(numbers)) == len(names) else list(range(1, len(names) + 1))


def _inside(joints: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return whether each joint (K, 2) is in the image, (K,) bool; pixels extend half a px from their centres."""
    is_inside: np.ndarray = np.all((joints >= -0.5) & (joints <= np.array([width, height]) - 0.5), axis=1)
    return is_inside


def _annotation(person: Prediction, is_labelled: np.ndarray) -> dict[str, Any]:
    """Return the keys of an annotation for a person and the joints (K,) that are labelled."""
    joints = np.where(is_labelled[:, None], person.joints, 0.0)
    keypoints = np.column_stack([joints, np.where(is_labelled, LABELLED, 0)])
    labelled = joints[is_labelled] if is_labelled.any() else np.zeros((1, 2))
    x, y = labelled.min(axis=0)
    width, height = np.ptp(labelled, axis=0)
    has_score = np.isfinite(person.mean_confidence)
    return {
        "category_id": CATEGORY["id"],
        "iscrowd": 0,
        "keypoints": [value if index % 3 < 2 else int(value) for index, value in enumerate(_rounded(keypoints))],
        "num_keypoints": int(is_labelled.sum()),
        "segmentation": [],  # read by importers of instances, which share their code with keypoints
        "bbox": _rounded(np.array([x + 0.5, y + 0.5, width, height])),
        "area": round(float(width * height), 3),
        "score": round(person.mean_confidence, 3) if has_score else 1.0,
    }


def _rounded(values: np.ndarray) -> list[float]:
    return [round(value, 3) for value in values.ravel().tolist()]


def _write(content: Any, path: Path) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")
