"""Selection of people from an annotation set: rows of the annotation table."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, cast_columns, with_joints
from splitpose.data.formats.annotation_set import AnnotationSet
from splitpose.data.image_finder import FoundImages, ImageFinder
from splitpose.data.reader_result import ReaderResult
from splitpose.errors import InputError


@dataclass(frozen=True)
class ReadOptions:
    """Which people are read, and how they are grouped."""

    min_joints: int
    """Smallest number of annotated joints, at least 1; people with fewer are skipped."""
    min_side: float
    """Smallest length of the longer bounding box side, px; smaller people are skipped. The extent of the
    joints is used where the box is missing or has no area."""
    group: str = "image"
    """Group of a person: "image" (the file name), "folder" (the folder of the file name), or a key that every
    image has."""
    group_key: str = "source.group"
    """Parameter that sets `group`, for errors."""
    split: str = "train"
    """Split of all people."""


def select_people(
    annotations: AnnotationSet, finder: ImageFinder, root: Path, options: ReadOptions
) -> ReaderResult:
    """Return the people of a set as rows of the annotation table.

    Args:
        annotations: people of a file or folder below `root`.
        finder: finds the images, below `root` too.
        root: folder that `image` and `id` are relative to; `id` ends in "-<id of the person>".
        options: which people are read, and how they are grouped.

    Raises:
        InputError: no person can be used, or a group is missing.
    """
    skipped = Counter(annotations.skipped)
    sides = _longer_sides(annotations)
    counts = np.isfinite(annotations.joints[..., 0]).sum(axis=1)
    prefix = annotations.path.relative_to(root).with_suffix("").as_posix()
    found = finder.find_all(annotations.images["file_name"])
    missing = finder.missing_note(annotations.annotated_file_names(), found)
    images = [
        {
            "image": _image_path(image["file_name"], finder, found, root),
            "width": image["width"],
            "height": image["height"],
            "group": _group(image, options, f"{annotations.path}: images[{index}]"),
        }
        for index, image in enumerate(annotations.images.to_dict("records"))
    ]
    rows, kept = [], []
    for index, person in enumerate(annotations.people.to_dict("records")):
        if person["is_crowd"]:
            skipped["crowd"] += 1
        elif counts[index] < options.min_joints:
            skipped[_too_few_joints(options.min_joints)] += 1
        elif sides[index] < options.min_side:
            skipped[f"smaller than {options.min_side:g} px"] += 1
        else:
            box = {column: person[column] for column in BOX_COLUMNS}
            rows.append({"id": f"{prefix}-{person['id']}", "split": options.split} | images[person["image"]] | box)
            kept.append(index)
    if not rows:
        raise InputError(f"{annotations.path}: {_no_people(annotations, skipped, options)}")
    table = cast_columns(with_joints(pd.DataFrame(rows), annotations.joints[kept]))
    notes = (*annotations.notes, f"{annotations.path}: {missing}") if missing else annotations.notes
    return ReaderResult(table, dict(skipped), notes)


def _too_few_joints(min_joints: int) -> str:
    return "no annotated joints" if min_joints == 1 else f"fewer than {min_joints} annotated joints"


def _no_people(annotations: AnnotationSet, skipped: Counter[str], options: ReadOptions) -> str:
    """Return the error for a set without usable people."""
    total = len(annotations.people) + sum(annotations.skipped.values())
    counts = ", ".join(f"{count} {reason}" for reason, count in skipped.items())
    return (
        f"none of the {total} annotations can be used{f' ({counts})' if counts else ''}; lower "
        f"min_joints (now {options.min_joints}) or min_side (now {options.min_side:g} px), or choose another file"
    )


def _image_path(file_name: str, finder: ImageFinder, found: FoundImages, root: Path) -> str:
    """Return an image's path below `root`."""
    path = found.paths.get(file_name) or finder.missing_path(file_name)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _group(image: dict[Any, Any], options: ReadOptions, where: str) -> str:
    """Return the group of an image; see `ReadOptions.group`."""
    path = PurePosixPath(str(image["file_name"]))
    if options.group == "image":
        return str(path)
    if options.group == "folder":
        return str(path.parent)
    value = image.get(options.group)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise InputError(
            f"{where}.{options.group}: not text or an integer; {options.group_key} requires one in every image"
        )
    return str(value)


def _longer_sides(annotations: AnnotationSet) -> np.ndarray:
    """Return the longer side (N,) in px of each box, or of the joints' extent without a box or its area."""
    if not len(annotations.people):
        return np.empty(0)
    x0, y0, x1, y1 = annotations.people[BOX_COLUMNS].to_numpy(np.float64).T
    has_area = (x1 - x0 > 0) & (y1 - y0 > 0)
    lowest = np.nan_to_num(annotations.joints, nan=np.inf).min(axis=1)
    highest = np.nan_to_num(annotations.joints, nan=-np.inf).max(axis=1)
    extents = (highest - lowest).max(axis=1)
    sides: np.ndarray = np.where(has_area, np.maximum(x1 - x0, y1 - y0), extents)
    return sides
