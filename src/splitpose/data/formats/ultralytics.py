"""Reader of Ultralytics' pose datasets: data.yaml, images/ and labels/ with one text file for each image.

Source: docs.ultralytics.com, "Pose Estimation Datasets Overview"; `img2label_paths` and `verify_image_label` of
ultralytics/data/utils.py.

    kpt_shape: [17, 3]            # number of keypoints; 2 for x, y or 3 for x, y, visibility
    kpt_names: {0: [nose, ...]}   # optional: names of the keypoints of each class
    flip_idx: [0, 2, 1, ...]      # optional: keypoints that swap places when an image is flipped
    names: {0: person}

A row of labels/train/a.txt, for images/train/a.jpg: class, centre and size of the box, then the keypoints,
all relative to the size of the image: `0 0.5 0.4 0.3 0.6 0.51 0.22 2 ...`. Keypoints of visibility 0, or at 0, 0
without visibility, are not annotated.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from splitpose.annotations import BOX_COLUMNS
from splitpose.data.formats.annotation_set import AnnotationSet, image_frame, people_frame
from splitpose.data.formats.image_sizes import size_of
from splitpose.data.joint_names import COCO_NAMES, JointNames, describe_refusal, describe_unknown
from splitpose.errors import InputError, one_line, some_of
from splitpose.progress import track
from splitpose.skeleton import INDEX, JOINTS
from splitpose.yaml_files import read_yaml

FORMAT = "Ultralytics pose"
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".jfif", ".heic", ".avif", ".mpo")
COCO_FLIP = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
NAME_KEYS = ("kpt_names", "keypoint_names", "kpt_labels", "keypoints")
MAX_COORDINATE = 1.5
"""Largest relative coordinate; larger ones are pixels. Validation reports keypoints slightly outside the image."""


Row = dict[str, object]


@dataclass(frozen=True)
class Dataset:
    """What data.yaml states."""

    count: int
    dims: int
    keypoint_names: Mapping[int, Sequence[str]]
    """Names of the keypoints of each class that has any."""
    classes: Mapping[int, str]
    """Names of the classes."""

    def names_of(self, number: int) -> Sequence[str]:
        """Return the names of the keypoints of a class; without any, COCO's or their numbers, from 0."""
        names = self.keypoint_names.get(number) or next(iter(self.keypoint_names.values()), None)
        numbers = [str(index) for index in range(self.count)]
        return names or (COCO_NAMES if self.count == len(COCO_NAMES) else numbers)

    def reason_to_skip(self, row: Sequence[float]) -> str | None:
        """Return why a row is no person with keypoints, None if it is one."""
        category = self.classes.get(int(row[0]), str(int(row[0])))
        if len(row) == 5:
            return "without keypoints"
        return f"class {category}" if "person" in self.classes.values() and category != "person" else None


def read(path: Path, joint_names: JointNames) -> AnnotationSet:
    """Read a pose dataset.

    Args:
        path: data.yaml, with labels/ folders at any depth below its folder.
        joint_names: the joints of the keypoints' names.

    Raises:
        InputError: A file is damaged, there are no labels, or no keypoint is named after a joint.
    """
    dataset = _dataset(path)
    keypoint_names = list(dict.fromkeys(name for number in dataset.classes for name in dataset.names_of(number)))
    if not joint_names.indices(keypoint_names):
        raise InputError(f"{path}: {describe_refusal(keypoint_names)}")
    labels = label_files(path.parent)
    if not labels:
        raise InputError(f"{path}: no labels/ folder with text files below {path.parent}; put {path.name} there")
    images, people, joints, missing = list[Row](), list[Row](), list[np.ndarray](), list[str]()
    problems, skipped = list[str](), Counter[str]()
    for label in track(labels, f"reading labels of {path.parent.name}", len(labels), "files"):
        rows = _rows(label, dataset, problems)
        image = _image_of(label, path.parent) if rows else None
        size = size_of(image) if image else None
        if image and size:
            for number, row in enumerate(rows):
                if reason := dataset.reason_to_skip(row):
                    skipped[reason] += 1
                else:
                    person = {"id": f"{_key(label, path.parent)}.{number}", "image": len(images), "is_crowd": False}
                    people.append(person | dict(zip(BOX_COLUMNS, _corners(row, size), strict=True)))
                    joints.append(_joints(row, joint_names.indices(dataset.names_of(int(row[0]))), size, dataset))
            name = image.relative_to(path.parent).as_posix()
            images.append({"file_name": name, "width": size[0], "height": size[1]})
        elif rows:
            missing.append(label.relative_to(path.parent).as_posix())
            skipped["image is missing or not readable"] += len(rows)
    if problems:
        raise InputError(f"{path}: {len(problems):,} rows are invalid: {some_of(problems)}")
    if not images:
        raise InputError(
            f"{path}: no image of the {len(labels):,} label files was found "
            f"({some_of(missing) or 'all are empty'}); put the images into images/ beside labels/"
        )
    return AnnotationSet(
        path,
        FORMAT,
        image_frame(images),
        people_frame(people),
        np.array(joints).reshape(-1, len(JOINTS), 2),
        dict(skipped),
        (*_notes(dataset, missing), *describe_unknown(keypoint_names, joint_names)),
    )


def label_files(folder: Path) -> list[Path]:
    """Return the text files below folders named labels, sorted, without hidden ones."""
    files = (file.relative_to(folder) for file in folder.rglob("*.txt"))
    return sorted(
        folder / file
        for file in files
        if "labels" in file.parts[:-1] and not any(part[0] == "." or part == "__MACOSX" for part in file.parts)
    )


def _dataset(path: Path) -> Dataset:
    """Read data.yaml. Raises InputError if it is invalid, or if no keypoint has the name of a joint."""
    content = read_yaml(path)
    try:
        count, dims = content["kpt_shape"]
        classes = content.get("names", {0: "person"})
        classes = dict(enumerate(classes)) if isinstance(classes, list) else dict(classes)
        names = _by_class(next((content[key] for key in NAME_KEYS if content.get(key)), {}))
        if dims not in (2, 3) or not isinstance(count, int) or count < 1:
            raise ValueError("kpt_shape should be [number of keypoints, 2 or 3]")
        if any(len(own) != count for own in names.values()):
            raise ValueError(f"kpt_names has another number of names than kpt_shape ({count})")
        flip = content.get("flip_idx")
        if not names and count == len(COCO_NAMES) and flip and list(flip) != COCO_FLIP:
            raise ValueError("flip_idx is not that of COCO's keypoints, so their names are required as kpt_names")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not a valid data.yaml of a pose dataset: {one_line(error)}") from error
    return Dataset(count, dims, names, {int(key): str(name) for key, name in classes.items()})


def _by_class(names: Any) -> dict[int, list[str]]:
    """Return the names of the keypoints of each class; the YAML has one list for all, or a list or map of lists."""
    if isinstance(names, dict):
        return {int(key): [str(name) for name in own] for key, own in names.items()}
    if names and not isinstance(names[0], list):
        return {0: [str(name) for name in names]}
    return {number: [str(name) for name in own] for number, own in enumerate(names)}


def _rows(label: Path, dataset: Dataset, problems: list[str]) -> list[list[float]]:
    """Return the rows of a label file; problems are added with file and line."""
    rows, length = [], 5 + dataset.count * dataset.dims
    try:
        lines = label.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        problems.append(f"{label.name}: {one_line(error)}")
        return []
    for number, line in enumerate(lines, 1):
        where = f"{label.name}, line {number}"
        try:
            row = [float(text) for text in line.split()]
        except ValueError:
            problems.append(f"{where}: not a list of numbers")
            continue
        if not row:
            continue
        x_and_y = row[1:5] + [value for index, value in enumerate(row[5:]) if index % dataset.dims < 2]
        if len(row) not in (5, length):
            problems.append(f"{where}: {len(row)} values, but kpt_shape requires {length}")
        elif not np.isfinite(row).all():
            problems.append(f"{where}: a value is not finite")
        elif max(x_and_y) > MAX_COORDINATE:
            problems.append(f"{where}: {max(x_and_y):g} is not relative to the image size (0 to 1)")
        else:
            rows.append(row)
    return rows


def _image_of(label: Path, root: Path) -> Path | None:
    """Return the image of a label file: the same path with the last "labels" replaced by "images"."""
    parts = list(label.relative_to(root).parts)
    index = len(parts) - 2 - parts[-2::-1].index("labels")
    folders = [root.joinpath(*parts[:index], name, *parts[index + 1 : -1]) for name in ("images", "labels")]
    names = [label.stem + suffix for lower in IMAGE_SUFFIXES for suffix in (lower, lower.upper())]
    return next((folder / name for folder in folders for name in names if (folder / name).is_file()), None)


def _key(label: Path, root: Path) -> str:
    """Return the path of a label file without the folder "labels" and the suffix."""
    relative = PurePosixPath(label.relative_to(root).as_posix()).with_suffix("")
    return "/".join(part for part in relative.parts if part != "labels")


def _corners(row: list[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return x0, y0, x1, y1 in px with pixel centres at integers."""
    (x, y, w, h), (width, height) = row[1:5], size
    return (
        (x - w / 2) * width - 0.5,
        (y - h / 2) * height - 0.5,
        (x + w / 2) * width - 0.5,
        (y + h / 2) * height - 0.5,
    )


def _joints(row: list[float], names: Mapping[str, int], size: tuple[int, int], dataset: Dataset) -> np.ndarray:
    """Return the joints (K, 2) in px. As in Ultralytics' own conversion of COCO, x is the pixel index / width."""
    values = np.array(row[5:]).reshape(dataset.count, dataset.dims)
    if dataset.dims == 3:
        is_annotated = values[:, 2] > 0
    else:
        is_annotated = np.logical_and(values.min(axis=1) >= 0, values.max(axis=1) > 0)
    joints = np.full((len(JOINTS), 2), np.nan)
    for joint, index in names.items():
        if is_annotated[index]:
            joints[INDEX[joint]] = values[index, :2] * size
    return joints


def _notes(dataset: Dataset, missing: list[str]) -> list[str]:
    notes = []
    if not dataset.keypoint_names and dataset.count == len(COCO_NAMES):
        notes.append("data.yaml does not name the 17 keypoints; the order of COCO is assumed")
    if missing:
        notes.append(f"{len(missing):,} label files without a readable image: {some_of(missing)}")
    return notes
