"""Reader of COCO keypoint annotations.

Keypoints are pixel indices, as Detectron2 reads them: pixel centres are at integers, so coordinates are kept.
Bounding boxes are continuous with pixel corners at integers, so 0.5 px is subtracted. Left and right are the
person's own.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from splitpose.annotations import BOX_COLUMNS
from splitpose.data.formats.annotation_set import AnnotationSet, image_frame, people_frame
from splitpose.data.formats.coco_json import Bbox, load
from splitpose.data.joint_names import JointNames
from splitpose.skeleton import INDEX, JOINTS

FORMAT = "COCO keypoints"
NO_JOINTS = "category without any of the 11 joints"


def read(path: Path, joint_names: JointNames) -> AnnotationSet:
    """Read a COCO keypoints JSON.

    Joints of visibility 0 are not annotated. Categories are used if their keypoints include any of the 11 joints,
    in any order and spelling.

    Raises:
        InputError: The JSON is invalid; file, entry and key are named.
    """
    dataset = load(path)
    rows = {image.id: row for row, image in enumerate(dataset.images)}
    indices = {category.id: joint_names.indices(category.keypoints or []) for category in dataset.categories}
    people, joints, skipped = [], [], Counter[str]()
    for annotation in dataset.annotations:
        if not indices[annotation.category_id]:
            skipped[NO_JOINTS] += 1
            continue
        person = {"id": annotation.id, "image": rows[annotation.image_id], "is_crowd": bool(annotation.iscrowd)}
        people.append(person | dict(zip(BOX_COLUMNS, _corners(annotation.bbox), strict=True)))
        joints.append(_joints(annotation.keypoints or [], indices[annotation.category_id]))
    return AnnotationSet(
        path,
        FORMAT,
        image_frame(dict(image) for image in dataset.images),
        people_frame(people),
        np.array(joints).reshape(-1, len(JOINTS), 2),
        dict(skipped),
    )


def _joints(keypoints: list[float], indices: dict[str, int]) -> np.ndarray:
    """Return joints (K, 2) in px, NaN where not annotated."""
    joints = np.full((len(JOINTS), 2), np.nan)
    for joint, index in indices.items():
        x, y, visibility = keypoints[3 * index : 3 * index + 3] or (0, 0, 0)
        if visibility > 0:
            joints[INDEX[joint]] = x, y
    return joints


def _corners(bbox: Bbox | None) -> tuple[float, float, float, float]:
    """Return x0, y0, x1, y1 with pixel centres at integers; NaN without a box."""
    x, y, width, height = bbox or (np.nan,) * 4
    return x - 0.5, y - 0.5, x + width - 0.5, y + height - 0.5
