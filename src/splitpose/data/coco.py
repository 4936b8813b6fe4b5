"""The source of kind `coco`: annotations of labelling tools and their folders of images, copied to data/raw.

A COCO keypoints JSON is copied unchanged. Annotations of other formats, and of folders, are read when they are
copied, with the joint map, and kept as an annotation set.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from splitpose.data.formats import coco as coco_format
from splitpose.data.formats import detection, saved_set
from splitpose.data.formats.annotation_set import AnnotationSet
from splitpose.data.image_finder import ImageFinder
from splitpose.data.joint_names import JointNames
from splitpose.data.people import ReadOptions, select_people
from splitpose.data.reader_result import ReaderResult, concatenate
from splitpose.errors import InputError
from splitpose.progress import track

ANNOTATIONS = "annotations.json"
ANNOTATION_SET = "annotation_set.json"
IMAGES = "images"
NO_MAP = JointNames()

Sets = Sequence[tuple[str, Path, Path]]
"""Annotation sets: (split, annotations, folder of images)."""


def copy(sets: Sets, raw: Path, joint_names: JointNames = NO_MAP) -> None:
    """Copy all annotations, and the images that they annotate, to <number>-<name of the file>/ in `raw`.

    Files are copied and not hard-linked, because they may be made read-only afterwards. Images that are missing,
    or whose file_name is outside the folder of images, are not copied; validation reports them.

    Raises:
        InputError: A JSON is invalid, or a folder is missing.
    """
    for target, (_, annotations, images) in zip(_targets(raw, sets), sets, strict=True):
        own = detection.read_annotations(annotations, joint_names)
        if not images.is_dir():
            raise InputError(f"source.images: {images}: no such folder of images")
        (target / IMAGES).mkdir(parents=True)
        if own.format == coco_format.FORMAT and annotations.is_file():
            shutil.copyfile(annotations, target / ANNOTATIONS)
        else:
            saved_set.save(own, target / ANNOTATION_SET)
        paths = [Path(name) for name in own.annotated_file_names() if ".." not in Path(name).parts]
        for path in track(paths, f"copying images of {annotations.name}", len(paths), "images"):
            if not path.is_absolute() and _is_file(images / path):
                _copy_image(images / path, target / IMAGES / path)


def _copy_image(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except PermissionError as error:
        raise InputError(f"{source}: permission denied; check the permissions of the file") from error


def read_all(sets: Sets, raw: Path, options: ReadOptions, joint_names: JointNames = NO_MAP) -> ReaderResult:
    """Read all annotations that `copy` copied to `raw`, each with the split of its set."""
    return concatenate(
        select_people(
            _read_copy(target, joint_names),
            ImageFinder([target / IMAGES]),
            raw.parent,
            replace(options, split=split),
        )
        for target, (split, _, _) in zip(_targets(raw, sets), sets, strict=True)
    )


def _read_copy(target: Path, joint_names: JointNames) -> AnnotationSet:
    if (target / ANNOTATION_SET).is_file():
        return saved_set.load(target / ANNOTATION_SET)
    return coco_format.read(target / ANNOTATIONS, joint_names)


def read(annotations: Path, image_folders: Sequence[Path], root: Path, options: ReadOptions) -> ReaderResult:
    """Read the person instances of a COCO keypoints JSON.

    Args:
        annotations: COCO JSON below `root`.
        image_folders: folders below `root` that are searched for each file_name. The first one with the file is
            used, or the first of all if none has it.
        root: folder that `image` and `id` are relative to.
        options: which instances are read, and how they are grouped.

    Raises:
        InputError: The JSON is invalid (file, entry and key are named), or no instance can be used.
    """
    return select_people(coco_format.read(annotations, JointNames()), ImageFinder(image_folders), root, options)


def _targets(raw: Path, sets: Sets) -> list[Path]:
    """Return the folder in `raw` of each annotation set."""
    return [raw / f"{number}-{annotations.stem}" for number, (_, annotations, _) in enumerate(sets)]


def _is_file(path: Path) -> bool:
    """Return whether a file exists; False for a name that the system does not allow."""
    try:
        return path.is_file()
    except OSError:
        return False
