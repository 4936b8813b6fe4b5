"""Reader of predicted COCO keypoints: a list of results, or a complete COCO JSON.

Format of results: https://cocodataset.org/#format-results. Their third value of a keypoint is ignored, as COCO's
evaluation does, because models write a confidence there, or always 1. There are no ids of people.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError, some_of
from splitpose.evaluation.pose_set import ImageKey, PoseSet
from splitpose.skeleton import INDEX, JOINTS

RESULTS = "COCO results"
COMPLETE = "COCO keypoints"

COCO_KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    "right_ankle",
)
"""COCO's 17 keypoints, whose order results have unless the annotations define another one."""

_DEFAULT_NAMES = JointNames()
_BY_COUNT: dict[int, Sequence[str]] = {len(names): names for names in (COCO_KEYPOINTS, JOINTS)}


def is_results(data: object) -> bool:
    """Return whether the content of a JSON is a list of COCO results; an empty list is."""
    return isinstance(data, list) and all(isinstance(entry, dict) and "image_id" in entry for entry in data[:1])


def is_complete(data: object) -> bool:
    """Return whether the content of a JSON is a complete COCO dataset."""
    return isinstance(data, dict) and {"images", "annotations", "categories"} <= data.keys()


def keypoint_names(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the keypoints of each category of a complete COCO dataset, by the category's id."""
    categories = data["categories"] if isinstance(data["categories"], list) else []
    return {
        str(category.get("id")): [str(name) for name in category.get("keypoints") or []]
        for category in categories
        if isinstance(category, dict)
    }


def read_results(
    path: Path, data: Any, names: Mapping[str, Sequence[str]], joint_names: JointNames = _DEFAULT_NAMES
) -> PoseSet:
    """Return the predictions of a JSON's content.

    Args:
        path: the file, for errors.
        data: a list of results or a complete COCO dataset.
        names: names of the keypoints of each category of the annotations, by its id; empty if they define none,
            in which case 17 keypoints are COCO's and 11 those of the annotation table, in order.
        joint_names: mapping of the keypoints' names.

    Raises:
        InputError: there are no entries, some are invalid, or the names of the keypoints are unknown.
    """
    complete = is_complete(data)
    entries, prefix = (data["annotations"], "annotations") if complete else (data, "")
    names = keypoint_names(data) if complete else names
    if not any(names.values()):
        names = {}
    if not entries:
        raise InputError(f"{path}: has no predictions; add an entry for each person")
    _check_entries(path, prefix, entries)
    kept = [entry for entry in entries if _keypoints_of(entry, names) != []]
    if not kept:
        raise InputError(f"{path}: no entry is of a category with keypoints; give those of people")
    joints = np.full((len(kept), len(JOINTS), 2), np.nan)
    columns = np.zeros(len(JOINTS), bool)
    for n, entry in enumerate(kept):
        indices = _joint_indices(path, entry, names, joint_names)
        keypoints = np.array(entry["keypoints"], np.float64).reshape(-1, 3)
        missing = keypoints[:, 2] == 0
        if not complete:
            missing &= (keypoints[:, :2] == 0).all(axis=1)
        keypoints[missing] = np.nan
        for joint, index in indices.items():
            joints[n, INDEX[joint]] = keypoints[index, :2]
            columns[INDEX[joint]] = True
    images = _image_keys(path, data) if complete else {}
    keys = [images.get(str(entry["image_id"])) or _image_key(entry) for entry in kept]
    unique = {key: row for row, key in enumerate(dict.fromkeys(keys))}
    scores = np.array([np.nan if entry.get("score") is None else entry["score"] for entry in kept], np.float64)
    other = len(entries) - len(kept)
    return PoseSet(
        path,
        COMPLETE if complete else RESULTS,
        joints,
        columns,
        ids=None,
        is_table=False,
        images=list(unique),
        image_rows=np.array([unique[key] for key in keys]),
        crowds=np.zeros(len(kept), bool),
        boxes=np.full((len(kept), 4), np.nan),
        areas=np.full(len(kept), np.nan),
        scores=scores,
        scores_from="none" if np.isnan(scores).all() else "score",
        notes=(f"{other} predictions of categories without keypoints are left out",) if other else (),
    )


def _check_entries(path: Path, prefix: str, entries: object) -> None:
    """Raise InputError naming the first invalid entries and their number."""
    if not isinstance(entries, list):
        raise InputError(f"{path}: {prefix} is not a list; give COCO results or a complete COCO JSON")
    problems = [f"{prefix}[{n}]{problem}" for n, entry in enumerate(entries) if (problem := _problem(entry))]
    if problems:
        raise InputError(f"{path}: {len(problems)} of {len(entries)} entries are invalid: {some_of(problems)}")


def _problem(entry: Any) -> str | None:
    """Return what is wrong with an entry, None if nothing is."""
    if not isinstance(entry, dict):
        return " is not an object"
    if isinstance(entry.get("image_id"), bool) or not isinstance(entry.get("image_id"), int | str):
        return ".image_id is not an integer or a text"
    score, keypoints = entry.get("score"), entry.get("keypoints")
    if score is not None and not (_is_number(score) and np.isfinite(score)):
        return f".score is {score!r}, not a number"
    if not isinstance(keypoints, list) or not all(map(_is_number, keypoints)):
        return ".keypoints is not a list of numbers"
    if len(keypoints) % 3 or not keypoints:
        return f".keypoints has {len(keypoints)} values, not x, y and visibility of each keypoint"
    return ".keypoints has infinite values" if np.isinf(keypoints).any() else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _keypoints_of(entry: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> Sequence[str] | None:
    """Return the names of the keypoints of an entry's category; empty if it has none, None if it is unknown.

    A single category with keypoints is meant whatever the id: models number the categories in their own way.
    """
    category = str(entry.get("category_id"))
    if category in names:
        return list(names[category])
    with_keypoints = [keypoints for keypoints in names.values() if keypoints]
    return with_keypoints[0] if len(with_keypoints) == 1 else None


def _joint_indices(
    path: Path, entry: Mapping[str, Any], names: Mapping[str, Sequence[str]], joint_names: JointNames
) -> dict[str, int]:
    """Return the index of each joint among the keypoints of an entry."""
    count = len(entry["keypoints"]) // 3
    keypoints = _keypoints_of(entry, names) or _BY_COUNT.get(count)
    if keypoints is None:
        raise InputError(
            f"{path}: the names of its {count} keypoints are unknown; give the annotations as COCO JSON with the "
            "category of the predictions, or the predictions as complete COCO JSON"
        )
    if len(keypoints) != count:
        raise InputError(
            f"{path}: image_id {entry['image_id']!r} has {count} keypoints, but its category has {len(keypoints)}; "
            "give the predictions as complete COCO JSON with categories of their own"
        )
    indices = joint_names.indices(keypoints)
    if not indices:
        raise InputError(f"{path}: none of the keypoints {some_of(list(keypoints))} is one of the 11 joints")
    return indices


def _image_key(entry: Mapping[str, Any]) -> ImageKey:
    name = entry.get("file_name")  # Ultralytics adds it.
    return ImageKey(str(entry["image_id"]), name if isinstance(name, str) else "")


def _image_keys(path: Path, data: Mapping[str, Any]) -> dict[str, ImageKey]:
    """Return the images of a complete COCO dataset by their id."""
    if not isinstance(data["images"], list) or not all(isinstance(image, dict) for image in data["images"]):
        raise InputError(f"{path}: images is not a list of objects; give a complete COCO JSON")
    return {
        str(image.get("id")): ImageKey(str(image.get("id")), str(image.get("file_name") or ""))
        for image in data["images"]
    }
