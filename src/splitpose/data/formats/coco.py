"""Reader of COCO keypoint annotations.

Keypoints are pixel indices, as Detectron2 reads them: pixel centres are at integers, so coordinates are kept.
Bounding boxes are continuous with pixel corners at integers, so 0.5 px is subtracted. Left and right are the
person's own.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose.data.formats import coco_keypoints
from splitpose.data.formats.annotation_set import PEOPLE_COLUMNS, AnnotationSet, image_frame
from splitpose.data.formats.coco_json import CocoAnnotation, CocoDataset, load, raise_if_invalid
from splitpose.data.joint_names import COCO_NAMES, JointNames, describe_refusal, describe_unknown
from splitpose.errors import InputError
from splitpose.skeleton import FULL_NAMES, INDEX, JOINTS

FORMAT = "COCO keypoints"
NO_JOINTS = "category without any of the 11 joints"


def read(path: Path, joint_names: JointNames) -> AnnotationSet:
    """Read a COCO keypoints JSON.

    Joints of visibility 0 are not annotated, nor are those whose coordinates stand for missing ones (see
    `coco_keypoints`). Categories are used if their keypoints include any of the 11 joints, in any order and
    spelling. If no category names its keypoints, but people have 17, they are those of COCO's own files.

    Raises:
        InputError: The JSON is invalid. The number of invalid entries is stated, with index, key and problem of the
            first ones.
    """
    dataset = load(path)
    names, name_notes = _keypoint_names(path, dataset, joint_names)
    annotations = [annotation for annotation in dataset.annotations if annotation.category in names]
    joints, notes = _read_joints(path, dataset.annotations, names, joint_names)
    is_used = [annotation.category in names for annotation in dataset.annotations]
    skipped = len(dataset.annotations) - len(annotations)
    return AnnotationSet(
        path,
        FORMAT,
        image_frame(dataset.images),
        _people_frame(annotations),
        joints[is_used],
        {NO_JOINTS: skipped} if skipped else {},
        (*name_notes, *dataset.notes, *notes),
    )


def _keypoint_names(
    path: Path, dataset: CocoDataset, joint_names: JointNames
) -> tuple[dict[str, Sequence[str]], tuple[str, ...]]:
    """Return the names of each category whose keypoints include joints, and notes on unknown or assumed names."""
    names: dict[str, Sequence[str]] = {
        category.id: category.keypoints
        for category in dataset.categories
        if joint_names.indices(category.keypoints)
    }
    if names:
        _check_unambiguous(path, dataset, joint_names)
        return names, tuple(describe_unknown(_all_names(dataset), joint_names))
    if any(category.keypoints for category in dataset.categories):
        raise InputError(f"{path}: {_no_joint_names(dataset)}")
    lengths: dict[str, set[int]] = defaultdict(set)
    for annotation in dataset.annotations:
        if annotation.keypoints.size:
            lengths[annotation.category].add(annotation.keypoints.size)
    names = {category: COCO_NAMES for category, sizes in lengths.items() if sizes == {3 * len(COCO_NAMES)}}
    if not names and dataset.annotations:
        raise InputError(f"{path}: {_no_joint_names(dataset)}")
    return names, (
        "no category names its keypoints; people with 17 are read in the order of COCO's own files "
        "(nose, left_eye, right_eye, left_ear ...)",
    )


def _no_joint_names(dataset: CocoDataset) -> str:
    return f"categories: {describe_refusal(_all_names(dataset))}"


def _all_names(dataset: CocoDataset) -> list[str]:
    return [name for category in dataset.categories for name in category.keypoints]


def _check_unambiguous(path: Path, dataset: CocoDataset, joint_names: JointNames) -> None:
    """Raise InputError if two keypoints of a category mean the same joint, unless the joint map names one."""
    problems = []
    for index, category in enumerate(dataset.categories):
        first: dict[str, str] = {}
        for name in category.keypoints:
            joint = joint_names.joint(name)
            if joint is None or joint in joint_names.joint_map:
                continue
            if first.setdefault(joint, name) is not name:
                problems.append(
                    f"categories[{index}].keypoints: {first[joint]!r} and {name!r} both mean {FULL_NAMES[joint]}; "
                    "rename one of them"
                )
    raise_if_invalid(path, problems, len(dataset.categories))


def _read_joints(
    path: Path, annotations: Sequence[CocoAnnotation], names: Mapping[str, Sequence[str]], joint_names: JointNames
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the joints (N, K, 2) of annotations whose categories are in `names`, and notes."""
    joints = np.full((len(annotations), len(JOINTS), 2), np.nan)
    categories = np.array([annotation.category for annotation in annotations], object)
    lengths = np.array([annotation.keypoints.size for annotation in annotations], np.int64)
    problems: dict[int, str] = {}
    missing = Counter[str]()
    for category, keypoint_names in names.items():
        expected = 3 * len(keypoint_names)
        given = (categories == category) & (lengths > 0)
        problems |= {
            row: f"there are {lengths[row] // 3}, but the category has {len(keypoint_names)} keypoints"
            for row in _rows(given & (lengths != expected))
        }
        rows = _rows(given & (lengths == expected))
        keypoints = np.array([annotations[row].keypoints for row in rows]).reshape(-1, len(keypoint_names), 3)
        missing += coco_keypoints.count_missing(keypoints, [annotations[row].num_keypoints for row in rows])
        indices = joint_names.indices(keypoint_names)
        joints[np.ix_(rows, [INDEX[joint] for joint in indices])] = coco_keypoints.positions(
            keypoints[:, list(indices.values())]
        )
    texts = [f"annotations[{row}].keypoints: {problems[row]}" for row in sorted(problems)]
    raise_if_invalid(path, texts, len(annotations))
    return joints, tuple(f"{note}: {count:,}" for note, count in missing.items())


def _rows(mask: np.ndarray) -> list[int]:
    rows: list[int] = np.flatnonzero(mask).tolist()
    return rows


def _people_frame(annotations: Sequence[CocoAnnotation]) -> pd.DataFrame:
    """Return the people of an annotation set."""
    none = (np.nan,) * 4
    boxes = np.array([annotation.bbox or none for annotation in annotations]).reshape(-1, 4)
    x, y, width, height = boxes.T
    columns = [
        [annotation.id for annotation in annotations],
        [annotation.image for annotation in annotations],
        [annotation.is_crowd for annotation in annotations],
        *(x - 0.5, y - 0.5, x + width - 0.5, y + height - 0.5),
    ]
    return pd.DataFrame(dict(zip(PEOPLE_COLUMNS, columns, strict=True)))
