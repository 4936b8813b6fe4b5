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
from splitpose.data.image_finder import ImageFinder, image_folders
from splitpose.data.image_names import relative_name
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


def copy(sets: Sets, raw: Path, joint_names: JointNames = NO_MAP) -> list[str]:
    """Copy all annotations, and the images that they annotate, to <number>-<name of the file>/ in `raw`.

    Images are found as `ImageFinder` describes and copied to the path that their name states, where `read_all`
    finds them. Files are copied and not hard-linked, because they may be made read-only afterwards.

    Returns:
        One line for each set with images that were not found; validation reports them, too.

    Raises:
        InputError: A JSON is invalid, or a folder is missing.
    """
    notes = []
    for target, (_, annotations, images) in zip(_targets(raw, sets), sets, strict=True):
        own = detection.read_annotations(annotations, joint_names)
        if not images.is_dir():
            raise InputError(f"source.images: {images}: no such folder of images")
        (target / IMAGES).mkdir(parents=True)
        if own.format == coco_format.FORMAT and annotations.is_file():
            shutil.copyfile(annotations, target / ANNOTATIONS)
        else:
            saved_set.save(own, target / ANNOTATION_SET)
        file_names = own.annotated_file_names()
        finder = ImageFinder(image_folders(annotations, images))
        found = finder.find_all(own.images["file_name"])  # of all images, so that none is taken for another one
        if note := finder.missing_note(file_names, found):
            notes.append(f"{annotations}: {note}")
        paths = [(name, found.paths[name]) for name in file_names if name in found.paths]
        for name, path in track(paths, f"copying images of {annotations.name}", len(paths), "images"):
            _copy_image(path, target / IMAGES / (relative_name(name) or path.name))
    return notes


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
            # Not searched again, because a name that was ambiguous may have a single match among the copies.
            ImageFinder([target / IMAGES], search=False),
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
        image_folders: folders below `root` that are searched for each image, the most likely one first; see
            `ImageFinder`.
        root: folder that `image` and `id` are relative to.
        options: which instances are read, and how they are grouped.

    Raises:
        InputError: The JSON is invalid (file, entry and key are named), or no instance can be used.
    """
    return select_people(coco_format.read(annotations, JointNames()), ImageFinder(image_folders), root, options)


def _targets(raw: Path, sets: Sets) -> list[Path]:
    """Return the folder in `raw` of each annotation set."""
    return [raw / f"{number}-{annotations.stem}" for number, (_, annotations, _) in enumerate(sets)]
