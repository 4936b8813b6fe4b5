"""Detection of the source at a path: annotations of labelling tools, FLIC's archive or an annotation table."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from splitpose.annotations import TEXT_COLUMNS
from splitpose.data import flic
from splitpose.data.flic import EXAMPLES
from splitpose.data.formats import detection
from splitpose.data.image_finder import ImageFinder, common_root, image_folders
from splitpose.data.joint_names import JointNames
from splitpose.data.people import ReadOptions, select_people
from splitpose.data.reader_result import concatenate
from splitpose.errors import InputError

TABLE_SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class DetectedSource:
    """The annotations that were detected at a path."""

    format: str
    """Name of the format, for the user."""
    table: pd.DataFrame
    """Annotation table; unchecked if it was read from a table file."""
    skipped: dict[str, int]
    """Number of skipped instances by reason."""
    root: Path
    """Folder that `image` is relative to."""
    has_splits: bool
    """Whether the source itself assigns rows to train and test."""
    notes: tuple[str, ...] = ()
    """Remarks for the user, one line each."""


def detect_format(
    path: Path, images: Path | None = None, joint_map: Mapping[str, str] | None = None
) -> DetectedSource:
    """Detect the format of the annotations at `path` and read them.

    Left and right are kept as annotated; instances of any size are read if they have at least one joint.

    Args:
        path: annotations of a labelling tool (see `detection`), or a folder with some at any depth; FLIC's
            examples.mat, its folder or the parent of that folder; or an annotation table as Parquet or CSV.
        images: folder of the images. Without it, the images of a JSON are searched by file_name in its folder and
            in images/ there, those of FLIC in its images/, and those of a table in the folders above it.
        joint_map: names of keypoints by joint, beyond those that are known.

    Raises:
        InputError: There are no annotations at `path`, or they cannot be read.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if images is not None and not images.is_dir():
        raise InputError(f"{images}: no such folder of images")
    path, images = path.resolve(), images and images.resolve()
    if path.suffix in TABLE_SUFFIXES:
        return _read_table(path, images)
    if path.name == EXAMPLES:
        return _read_flic(_flic_root(path.parent), images)
    if (path / EXAMPLES).is_file():
        return _read_flic(_flic_root(path), images)
    if any((path / edition / EXAMPLES).is_file() for edition in flic.EDITIONS):
        return _read_flic(path, images)
    return _read_annotations(path, images, JointNames(joint_map or {}))


def _read_annotations(path: Path, images: Path | None, joint_names: JointNames) -> DetectedSource:
    """Read all annotations of labelling tools at a path as one source."""
    result = detection.find_annotations(path)
    if not result.found:
        raise InputError(detection.no_annotations(path, result))
    folders = [image_folders(found.path, images) for found in result.found]
    root = common_root([path.parent, *(folder for near in folders for folder in near)])
    options = ReadOptions(min_joints=1, min_side=0)
    people = concatenate(
        select_people(found.read(joint_names), ImageFinder(near), root, options)
        for found, near in zip(result.found, folders, strict=True)
    )
    formats = " and ".join(dict.fromkeys(found.format for found in result.found))
    count = sum(len(found.files) for found in result.found)
    name = f"{formats} ({count:,} {'file' if count == 1 else 'files'})" if path.is_dir() else formats
    notes = (*people.notes, *result.notes)
    return DetectedSource(name, people.table, people.skipped, root, has_splits=False, notes=notes)


def _flic_root(archive: Path) -> Path:
    """Return the parent of the archive's folder, whose name must be that of an edition."""
    if archive.name not in flic.EDITIONS:
        raise InputError(
            f"{archive}: contains {EXAMPLES} but is not named {' or '.join(flic.EDITIONS)}; rename the folder"
        )
    return archive.parent


def _read_flic(root: Path, images: Path | None) -> DetectedSource:
    result = flic.read(root, "person")
    table = result.table
    if images is not None:
        table = table.assign(image=table["image"].map(os.path.basename))
    return DetectedSource(f"FLIC ({EXAMPLES})", table, result.skipped, images or root, has_splits=True)


def _read_table(path: Path, images: Path | None) -> DetectedSource:
    try:
        dtypes = dict.fromkeys(TEXT_COLUMNS, str)
        table = pd.read_csv(path, dtype=dtypes) if path.suffix == ".csv" else pd.read_parquet(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; provide an annotation table") from error
    except ValueError as error:
        raise InputError(f"{path}: not a readable annotation table ({' '.join(str(error).split())})") from error
    root = images or next((folder for folder in path.parents if _has_any_image(table, folder)), path.parent)
    return DetectedSource("annotation table", table, {}, root, has_splits=True)


def _has_any_image(table: pd.DataFrame, folder: Path) -> bool:
    """Return whether any of the first 100 images is below `folder`; a single one might be missing."""
    if "image" not in table:
        return False
    return any((folder / image).is_file() for image in table["image"].dropna().astype(str).head(100))
