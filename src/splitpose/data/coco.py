"""Reader of COCO keypoint annotations.

Keypoints are pixel indices, as Detectron2 reads them: pixel centres are at integers, so coordinates are kept.
Bounding boxes are continuous with pixel corners at integers, so 0.5 px is subtracted. Left and right are the
person's own.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, cast_columns, with_joints
from splitpose.data.coco_json import Bbox, CocoDataset, CocoImage, load
from splitpose.data.reader_result import ReaderResult, concatenate
from splitpose.errors import InputError
from splitpose.progress import track
from splitpose.skeleton import INDEX, JOINTS

ANNOTATIONS = "annotations.json"
IMAGES = "images"

Sets = Sequence[tuple[str, Path, Path]]
"""Annotation sets: (split, COCO JSON, folder of images)."""


@dataclass(frozen=True)
class ReadOptions:
    """Which instances are read, and how they are grouped."""

    min_joints: int
    """Smallest number of annotated joints, at least 1; instances with fewer are skipped."""
    min_side: float
    """Smallest length of the longer bounding box side, px; smaller instances are skipped. The extent of the
    joints is used where the box is missing or has no area."""
    group: str = "image"
    """Group of an instance: "image" (the file_name), "folder" (the folder of the file_name), or a key that every
    entry of `images` has."""
    group_key: str = "source.group"
    """Parameter that sets `group`, for errors."""
    split: str = "train"
    """Split of all instances."""


def copy(sets: Sets, raw: Path) -> None:
    """Copy each JSON and the images that it annotates to <number>-<name of the JSON>/ in `raw`.

    Files are copied and not hard-linked, because they may be made read-only afterwards. Images that are missing,
    or whose file_name is outside the folder of images, are not copied; validation reports them.

    Raises:
        InputError: A JSON is invalid, or a folder is missing.
    """
    for target, (_, annotations, images) in zip(_targets(raw, sets), sets, strict=True):
        dataset = load(annotations)
        if not images.is_dir():
            raise InputError(f"source.images: {images}: no such folder of images")
        (target / IMAGES).mkdir(parents=True)
        shutil.copyfile(annotations, target / ANNOTATIONS)
        paths = dataset.annotated_images()
        for path in track(paths, f"copying images of {annotations.name}", len(paths), "images"):
            if _is_file(images / path):
                _copy_image(images / path, target / IMAGES / path)


def _copy_image(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except PermissionError as error:
        raise InputError(f"{source}: permission denied; check the permissions of the file") from error


def read_all(sets: Sets, raw: Path, options: ReadOptions) -> ReaderResult:
    """Read all JSONs that `copy` copied to `raw`, each with the split of its set; see `read`."""
    return concatenate(
        read(target / ANNOTATIONS, [target / IMAGES], raw.parent, replace(options, split=split))
        for target, (split, _, _) in zip(_targets(raw, sets), sets, strict=True)
    )


def read(annotations: Path, image_folders: Sequence[Path], root: Path, options: ReadOptions) -> ReaderResult:
    """Read the person instances of a COCO keypoints JSON.

    Joints of visibility 0 are not annotated. Categories are used if their keypoints include any of the 11 joints,
    in any order and spelling.

    Args:
        annotations: COCO JSON below `root`.
        image_folders: folders below `root` that are searched for each file_name. The first one with the file is
            used, or the first of all if none has it.
        root: folder that `image` and `id` are relative to; `id` ends in "-<id of the annotation>".
        options: which instances are read, and how they are grouped.

    Raises:
        InputError: The JSON is invalid (file, entry and key are named), or no instance can be used.
    """
    dataset = load(annotations)
    image_columns = {
        image.id: {
            "image": _image_path(image.path, image_folders, root),
            "width": image.width,
            "height": image.height,
            "group": _group(image, options, f"{annotations}: images[{index}]"),
        }
        for index, image in enumerate(dataset.images)
    }
    indices = {category.id: category.joint_indices for category in dataset.categories}
    prefix = annotations.relative_to(root).with_suffix("").as_posix()
    rows, all_joints, skipped = [], [], Counter[str]()
    for annotation in dataset.annotations:
        joints = _joints(annotation.keypoints or [], indices[annotation.category_id])
        if not indices[annotation.category_id]:
            skipped["category without any of the 11 joints"] += 1
        elif annotation.iscrowd:
            skipped["crowd"] += 1
        elif np.isfinite(joints[:, 0]).sum() < options.min_joints:
            skipped[_too_few_joints(options.min_joints)] += 1
        elif _longer_side(annotation.bbox, joints) < options.min_side:
            skipped[f"smaller than {options.min_side:g} px"] += 1
        else:
            bbox = dict(zip(BOX_COLUMNS, _corners(annotation.bbox), strict=True))
            rows.append(
                {"id": f"{prefix}-{annotation.id}", "split": options.split}
                | image_columns[annotation.image_id]
                | bbox
            )
            all_joints.append(joints)
    if not rows:
        raise InputError(f"{annotations}: {_no_instances(dataset, skipped, options)}")
    return ReaderResult(cast_columns(with_joints(pd.DataFrame(rows), np.array(all_joints))), dict(skipped))


def _too_few_joints(min_joints: int) -> str:
    return "no annotated joints" if min_joints == 1 else f"fewer than {min_joints} annotated joints"


def _no_instances(dataset: CocoDataset, skipped: Counter[str], options: ReadOptions) -> str:
    """Return the error for a JSON without usable instances."""
    counts = ", ".join(f"{count} {reason}" for reason, count in skipped.items())
    return (
        f"none of the {len(dataset.annotations)} annotations can be used{f' ({counts})' if counts else ''}; lower "
        f"min_joints (now {options.min_joints}) or min_side (now {options.min_side:g} px), or choose another file"
    )


def _targets(raw: Path, sets: Sets) -> list[Path]:
    """Return the folder in `raw` of each annotation set."""
    return [raw / f"{number}-{annotations.stem}" for number, (_, annotations, _) in enumerate(sets)]


def _is_file(path: Path) -> bool:
    """Return whether a file exists; False for a name that the system does not allow."""
    try:
        return path.is_file()
    except OSError:
        return False


def _image_path(path: PurePosixPath, folders: Sequence[Path], root: Path) -> str:
    """Return an image's path below `root`; a path outside its folder is kept and rejected by validation."""
    folder = next((folder for folder in folders if _is_file(folder / path)), folders[0])
    return str(PurePosixPath(folder.relative_to(root)) / path)


def _group(image: CocoImage, options: ReadOptions, where: str) -> str:
    """Return the group of an image; see `ReadOptions.group`."""
    group = options.group
    if group == "image":
        return str(image.path)
    if group == "folder":
        return str(image.path.parent)
    value = dict(image).get(group)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise InputError(
            f"{where}.{group}: not text or an integer; {options.group_key} requires one in every image"
        )
    return str(value)


def _joints(keypoints: list[float], indices: dict[str, int]) -> np.ndarray:
    """Return joints (K, 2) in px, NaN where not annotated."""
    joints = np.full((len(JOINTS), 2), np.nan)
    for joint, index in indices.items():
        x, y, visibility = keypoints[3 * index : 3 * index + 3] or (0, 0, 0)
        if visibility > 0:
            joints[INDEX[joint]] = x, y
    return joints


def _longer_side(bbox: Bbox | None, joints: np.ndarray) -> float:
    """Return the longer side in px of the box, or of the joints' extent if the box has no area."""
    if bbox is not None and min(bbox[2:]) > 0:
        return max(bbox[2:])
    return float(np.ptp(joints[np.isfinite(joints[:, 0])], axis=0).max())


def _corners(bbox: Bbox | None) -> tuple[float, float, float, float]:
    """Return x0, y0, x1, y1 with pixel centres at integers; NaN without a box."""
    x, y, width, height = bbox or (np.nan,) * 4
    return x - 0.5, y - 0.5, x + width - 0.5, y + height - 0.5
