"""Detection of annotation files by their content, at a path or anywhere below a folder.

Only the beginning of a file is read, and a JSON that may be COCO is searched for the word "keypoints".
"""

import codecs
import mmap
import os
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose.data.formats import coco, cvat_xml, label_studio, labelme, ultralytics
from splitpose.data.formats.annotation_set import AnnotationSet
from splitpose.data.formats.json_keys import PREFIX_BYTES, JsonKeys, json_keys
from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError, one_line, some_of

Reader = Callable[[Path, JointNames], AnnotationSet]

SUPPORTED = (
    "a COCO keypoints JSON (CVAT, Label Studio, Roboflow, COCO Annotator), CVAT XML for images, Label Studio JSON, "
    "labelme, Ultralytics pose data.yaml"
)
SUFFIXES = (".json", ".xml", ".yaml", ".yml")
"""Suffixes, in lower case, of the files of a folder that are inspected."""
ARCHIVE_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
STRAY_NAMES = ("Thumbs.db", "desktop.ini", "__MACOSX")
"""Names of files and folders of an operating system; those that begin with a dot are stray, too."""

STRAY = "hidden files or files of an operating system or notebook"
NO_KEYPOINTS = "COCO files without keypoints"
UNRELATED = "files that are no annotations"
SECOND_YAML = "further YAML files of a pose dataset"
ARCHIVE = "archives, which must be unpacked first"
LABELS = "label files without a data.yaml that states kpt_shape"


@dataclass(frozen=True)
class Found:
    """Annotations of one format: a file, or a folder with one file for each image."""

    path: Path
    reader: Reader
    format: str

    @property
    def files(self) -> list[Path]:
        """All files that the annotations consist of."""
        if self.path.is_dir():
            return labelme.labelme_files(self.path)
        if self.reader is ultralytics.read:
            return [self.path, *ultralytics.label_files(self.path.parent)]
        return [self.path]

    @property
    def folder(self) -> Path:
        """Folder that the images' names are relative to."""
        return self.path if self.path.is_dir() else self.path.parent

    def read(self, joint_names: JointNames) -> AnnotationSet:
        """Read the annotations. Raises InputError if they are invalid."""
        return self.reader(self.path, joint_names)


@dataclass(frozen=True)
class FoundAnnotations:
    """What was found at a path, sorted, and notes on files that were skipped."""

    found: tuple[Found, ...]
    notes: tuple[str, ...]


def find_annotations(path: Path) -> FoundAnnotations:
    """Find the annotations at a path.

    Args:
        path: a file of any name, whose format must be known; or a folder, of which all files that are no
            annotations are skipped with a note. A damaged file that begins like annotations is found, so that
            reading it reports the damage.

    Raises:
        InputError: There is no such path, a file's format is unknown, or a file or folder cannot be read.
    """
    try:
        if path.is_dir():
            return _find_below(path)
        return FoundAnnotations((_detect_file(path),), ())
    except OSError as error:
        raise InputError(f"{error.filename or path}: {one_line(error)}; provide {SUPPORTED}") from error


def read_annotations(path: Path, joint_names: JointNames) -> AnnotationSet:
    """Read the annotations of a file, or all of a folder as one set.

    Raises:
        InputError: There are no annotations, or they cannot be read.
    """
    result = find_annotations(path)
    if not result.found:
        raise InputError(no_annotations(path, result))
    if not path.is_dir():
        (found,) = result.found
        return found.read(joint_names)
    sets = [found.read(joint_names) for found in result.found]
    merged = _merge(path, result.found, sets)
    return replace(merged, notes=(*merged.notes, *result.notes))


def no_annotations(path: Path, result: FoundAnnotations) -> str:
    """Return the error for a folder without annotations."""
    skipped = "".join(f"; {note}" for note in result.notes)
    return f"{path}: no annotations found{skipped}; provide {SUPPORTED}, or an annotation table (.parquet, .csv)"


def _find_below(root: Path) -> FoundAnnotations:
    """Walk a folder once."""
    found, skipped = dict[Path, Found](), defaultdict[str, list[str]](list)
    for folder_name, folders, files in os.walk(root, onerror=_raise):
        folder = Path(folder_name)
        stray = sorted(name for name in folders if _is_stray(name))
        folders[:] = sorted(set(folders) - set(stray))
        skipped[STRAY] += [_relative(folder / name, root) + "/" for name in stray if not _is_expected(name)]
        for name in sorted(files):
            one, reason = _detect_below(root, folder / name, found)
            if one:
                found[one.path] = one
            elif reason:
                skipped[reason].append(_relative(folder / name, root))
    if any(one.reader is ultralytics.read for one in found.values()):
        skipped.pop(LABELS, None)
    notes = (f"skipped {reason} ({len(names):,}): {some_of(names)}" for reason, names in skipped.items() if names)
    return FoundAnnotations(tuple(found[path] for path in sorted(found)), tuple(notes))


def _detect_below(root: Path, path: Path, found: Mapping[Path, Found]) -> tuple[Found | None, str]:
    """Return the annotations in a file of a folder, or None and the reason, "" if no note is due.

    Files of a format with one file for each image are found as their folder.
    """
    name = path.name
    if _is_stray(name):
        return None, "" if _is_expected(name) else STRAY
    if name.lower().endswith(ARCHIVE_SUFFIXES):
        return None, ARCHIVE
    if name.lower().endswith(".txt") and "labels" in path.parent.relative_to(root).parts:
        return None, LABELS
    if not name.lower().endswith(SUFFIXES):
        return None, ""
    one, reason = _detect(path)
    if one and one.reader is labelme.read:
        return Found(path.parent, labelme.read, labelme.FORMAT), ""
    if one and one.reader is ultralytics.read:
        has_other = any(other.reader is one.reader and other.path.parent == path.parent for other in found.values())
        return (None, SECOND_YAML) if has_other else (one, "")
    return one, reason


def _relative(path: Path, root: Path) -> str:
    """Return a path below `root` as text; bytes of the name that are not UTF-8 are escaped."""
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "backslashreplace")


def _raise(error: OSError) -> None:
    raise error


def _is_stray(name: str) -> bool:
    return name.startswith(".") or name in STRAY_NAMES


def _is_expected(name: str) -> bool:
    """Return whether a hidden file belongs to git or DVC, such as .gitignore, so that no note is due."""
    return name.startswith((".git", ".dvc"))


def _detect_file(path: Path) -> Found:
    """Return the format of a file that was named explicitly. Raises InputError if it is unknown."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith((b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        raise InputError(f"{path}: is an archive; unpack it and give its folder")
    one, reason = _detect(path, is_explicit=True)
    # What is wrong with a JSON of unknown content is best said by the reader of the most common format.
    if one is None and (path.suffix.lower() == ".json" or reason == NO_KEYPOINTS):
        return Found(path, coco.read, coco.FORMAT)
    if one is None:
        raise InputError(
            f"{path}: no annotations found; provide {SUPPORTED}, or an annotation table (.parquet, .csv)"
        )
    return one


def _detect(path: Path, is_explicit: bool = False) -> tuple[Found | None, str]:
    """Return the annotations in a file, or None and the reason."""
    keys = json_keys(path)
    if keys.is_json:
        return _detect_json(path, keys, is_explicit)
    with path.open("rb") as file:
        text = file.read(65_536).decode("utf-8-sig", "replace")
    if re.search(r"<annotations[\s>]", text) and re.search(r"<(version|meta|image|track)[\s>]", text):
        return Found(path, cvat_xml.read, cvat_xml.FORMAT), ""
    if re.search(r"^[\"']?kpt_shape[\"']?\s*:", text, re.MULTILINE):
        return Found(path, ultralytics.read, ultralytics.FORMAT), ""
    return None, UNRELATED


def _detect_json(path: Path, keys: JsonKeys, is_explicit: bool) -> tuple[Found | None, str]:
    if labelme.is_labelme(keys):
        return Found(path, labelme.read, labelme.FORMAT), ""
    if label_studio.is_label_studio(keys):
        return Found(path, label_studio.read, label_studio.FORMAT), ""
    parts = {"images", "annotations", "categories"} & keys.top
    if keys.is_list or not (parts or path.stat().st_size > PREFIX_BYTES):
        return None, UNRELATED
    if is_explicit or (parts and not keys.is_closed):
        return Found(path, coco.read, coco.FORMAT), ""
    if not _contains(path, '"images"', '"annotations"'):
        return None, UNRELATED
    return (Found(path, coco.read, coco.FORMAT), "") if _contains(path, '"keypoints"') else (None, NO_KEYPOINTS)


def _contains(path: Path, *words: str) -> bool:
    """Return whether a file that is not empty contains all words, in UTF-8 or UTF-16."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        encoding = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(content[:2], "utf-8")
        return all(content.find(word.encode(encoding)) >= 0 for word in words)


def _merge(root: Path, found: Sequence[Found], sets: Sequence[AnnotationSet]) -> AnnotationSet:
    """Return several sets as one, with ids and file names relative to `root`."""
    images, people, offset = list[pd.DataFrame](), list[pd.DataFrame](), 0
    skipped: dict[str, int] = {}
    for one, own in zip(found, sets, strict=True):
        folder = one.folder.relative_to(root).as_posix()
        prefix = "" if folder == "." else f"{folder}/"
        stem = _relative(one.path.with_suffix("") if one.path.is_file() else one.path, root)
        names = own.images["file_name"].astype(str)
        images.append(own.images.assign(file_name=prefix + names.str.lstrip("/") if prefix else names))
        ids = ("" if stem == "." else f"{stem}-") + own.people["id"].astype(str)
        people.append(own.people.assign(id=ids, image=own.people["image"] + offset))
        offset += len(own.images)
        for reason, count in own.skipped.items():
            skipped[reason] = skipped.get(reason, 0) + count
    return AnnotationSet(
        root,
        " and ".join(dict.fromkeys(own.format for own in sets)),
        pd.concat(images, ignore_index=True),
        pd.concat(people, ignore_index=True),
        np.concatenate([own.joints for own in sets]),
        skipped,
        tuple(
            f"{_relative(one.path, root)}: {note}"
            for one, own in zip(found, sets, strict=True)
            for note in own.notes
        ),
    )
