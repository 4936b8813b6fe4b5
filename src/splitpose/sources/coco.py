"""COCO keypoint annotations to the annotation table."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, typed, with_joints
from splitpose.errors import InputError
from splitpose.skeleton import FULL_NAMES, INDEX, JOINTS

ANNOTATIONS = "annotations.json"
IMAGES = "images"


def read(root: Path, min_joints: int) -> pd.DataFrame:
    """The people of `root/annotations.json` who have enough of the 11 joints; all are training rows.

    COCO's pixel corners are at integers there and pixel centres here, so half a pixel is taken off. Sides are
    the person's own. Crowds are left out, and so is a joint of visibility 0.

    Args:
        root: folder with annotations.json and images/.
        min_joints: people with fewer annotated joints are left out.

    Raises:
        InputError: naming the file and what is wrong with it.
    """
    path = root / ANNOTATIONS
    content = load(path)
    pictures = {picture["id"]: picture for picture in content["images"]}
    places = {
        category["id"]: _places(category, path) for category in content["categories"] if "keypoints" in category
    }
    rows, joints = [], []
    for number, person in enumerate(content["annotations"]):
        if person.get("iscrowd") or person.get("category_id") not in places:
            continue
        points = _joints(person, places[person["category_id"]], f"{path}: annotations[{number}]")
        if np.isfinite(points[:, 0]).sum() < min_joints:
            continue
        picture = pictures.get(person["image_id"])
        if picture is None:
            raise InputError(
                f"{path}: annotations[{number}]: image_id {person['image_id']} is not among the images"
            )
        x, y, width, height = person.get("bbox") or [np.nan] * 4
        rows.append(
            {
                "id": str(person["id"]),
                "image": f"{IMAGES}/{picture['file_name']}",
                "width": picture["width"],
                "height": picture["height"],
                "split": "train",
                "group": str(picture["file_name"]),
                **dict(zip(BOX_COLUMNS, [x - 0.5, y - 0.5, x + width - 0.5, y + height - 0.5], strict=True)),
            }
        )
        joints.append(points)
    if not rows:
        raise InputError(f"{path}: nobody has {min_joints} of the 11 joints; lower source.min_joints")
    return typed(with_joints(pd.DataFrame(rows), np.array(joints)))


def load(path: Path) -> dict[str, Any]:
    """The JSON's content. Raises InputError if it is missing, no JSON, or lacks a part."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a COCO keypoints JSON")
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path}: not valid JSON ({error})") from error
    for part in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(part), list):
            raise InputError(f"{path}: has no list {part!r}; give a COCO keypoints JSON")
    return dict(content)


def _places(category: dict[str, Any], path: Path) -> list[int]:
    """Where each of the 11 joints stands in the category's keypoints; -1 where it is not there."""
    names = [name.lower().replace("_", " ") for name in category["keypoints"]]
    places = [names.index(FULL_NAMES[joint]) if FULL_NAMES[joint] in names else -1 for joint in JOINTS]
    if max(places) < 0:
        raise InputError(f"{path}: category {category.get('name')!r} has none of the 11 joints in its keypoints")
    return places


def _joints(person: dict[str, Any], places: list[int], where: str) -> np.ndarray:
    """(K, 2) px, NaN where not annotated."""
    try:
        keypoints = np.array(person.get("keypoints", []), np.float64).reshape(-1, 3)
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}: keypoints are not triples of numbers") from error
    if len(keypoints) <= max(places):
        raise InputError(f"{where}: {len(keypoints)} keypoints, its category names more")
    joints = np.full((len(INDEX), 2), np.nan)
    for k, place in enumerate(places):
        if place >= 0 and keypoints[place, 2] > 0:
            joints[k] = keypoints[place, :2] - 0.5
    return joints
