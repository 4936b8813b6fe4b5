"""Selection of people from an annotation set: rows of the annotation table."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, cast_columns, with_joints
from splitpose.data.formats.annotation_set import AnnotationSet
from splitpose.data.formats.image_sizes import size_of
from splitpose.data.image_finder import ImageFinder
from splitpose.data.reader_result import ReaderResult
from splitpose.errors import InputError, some_of
from splitpose.progress import track

MANY_IMAGES = 200
"""Number of image files from which progress is displayed."""


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
    people, images = annotations.people, annotations.images
    counts = np.isfinite(annotations.joints[..., 0]).sum(axis=1)
    # The first reason that applies is counted.
    reasons = {
        "crowd": people["is_crowd"].to_numpy(bool),
        _too_few_joints(options.min_joints): counts < options.min_joints,
        f"smaller than {options.min_side:g} px": _longer_sides(annotations) < options.min_side,
    }
    is_kept = np.ones(len(people), bool)
    skipped = Counter(annotations.skipped)
    for reason, applies in reasons.items():
        skipped[reason] += int((is_kept & applies).sum())
        is_kept &= ~applies
    skipped = +skipped
    groups = _groups(annotations, options)
    if not is_kept.any():
        raise InputError(f"{annotations.path}: {_no_people(annotations, skipped, options)}")
    used, image = np.unique(people["image"].to_numpy(np.int64)[is_kept], return_inverse=True)
    names = images["file_name"].iloc[used].tolist()
    found = finder.find_all(images["file_name"])  # of all images, so that none is taken for another one
    missing = finder.missing_note(names, found)
    paths = [found.paths.get(name) or finder.missing_path(name) for name in names]
    sizes, size_notes = _image_sizes(images.iloc[used], [found.paths.get(name) for name in names])
    prefix = annotations.path.relative_to(root).with_suffix("").as_posix()
    kept = people[is_kept].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "id": [f"{prefix}-{person}" for person in kept["id"]],
            "image": np.array([_relative(path, root) for path in paths], object)[image],
            "width": sizes[image, 0],
            "height": sizes[image, 1],
            "split": options.split,
            "group": np.array(groups, object)[used][image],
        }
    ).join(kept[BOX_COLUMNS])
    table = cast_columns(with_joints(table, annotations.joints[is_kept]))
    notes = (*annotations.notes, *size_notes, *([missing] if missing else []))
    name = annotations.path.relative_to(root).as_posix()
    return ReaderResult(table, dict(skipped), tuple(f"{name}: {note}" for note in notes))


def _too_few_joints(min_joints: int) -> str:
    return "no annotated joints" if min_joints == 1 else f"fewer than {min_joints} annotated joints"


def _no_people(annotations: AnnotationSet, skipped: Counter[str], options: ReadOptions) -> str:
    """Return the error for a set without usable people."""
    total = len(annotations.people) + sum(annotations.skipped.values())
    counts = ", ".join(f"{count} {reason}" for reason, count in skipped.items())
    remarks = "".join(f" ({note})" for note in annotations.notes)
    return (
        f"none of the {total} annotations can be used{f' ({counts})' if counts else ''}{remarks}; lower "
        f"min_joints (now {options.min_joints}) or min_side (now {options.min_side:g} px), or choose another file"
    )


def _relative(path: Path, root: Path) -> str:
    """Return a path below `root` relative to it, others unchanged."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _image_sizes(images: pd.DataFrame, paths: Sequence[Path | None]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return width and height (N, 2) of images, read from the files where they are not given, and notes."""
    sizes = images[["width", "height"]].to_numpy(np.int64, copy=True)
    missing = np.flatnonzero((sizes <= 0).any(axis=1)).tolist()
    if not missing:
        return sizes, ()
    with ThreadPoolExecutor() as pool:
        read = pool.map(_size_of_file, [paths[index] for index in missing])
        if len(missing) >= MANY_IMAGES:
            read = track(read, "reading image sizes", len(missing), "images")
        sizes[missing] = list(read)
    return sizes, (f"images without width or height, which are read from the files: {len(missing):,}",)


def _size_of_file(path: Path | None) -> tuple[int, int]:
    """Return width and height in px, as viewers display the image; 1 x 1 if it is unreadable."""
    # Rows of unreadable images are quarantined, but their size has to be positive.
    return (path and size_of(path)) or (1, 1)


def _groups(annotations: AnnotationSet, options: ReadOptions) -> list[str]:
    """Return the group of each image; see `ReadOptions.group`."""
    names = annotations.images["file_name"]
    if options.group == "image":
        return [str(PurePosixPath(name)) for name in names]
    if options.group == "folder":
        return [str(PurePosixPath(name).parent) for name in names]
    values = annotations.images.get(options.group, pd.Series([None] * len(names), dtype=object)).tolist()
    wrong = [
        f"images[{index}].{options.group}"
        for index, value in enumerate(values)
        if isinstance(value, bool) or not isinstance(value, int | str) or value == ""
    ]
    if wrong:
        count = "" if len(wrong) == 1 else f" ({len(wrong):,} of {len(values):,} images)"
        raise InputError(
            f"{annotations.path}: {some_of(wrong)}: not text or an integer{count}; "
            f"{options.group_key} requires one in every image"
        )
    return [str(value) for value in values]


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
