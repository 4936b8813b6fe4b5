"""Search for the images that annotation files name, in the layouts of labelling tools."""

import filecmp
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from splitpose.data.image_names import as_uploaded, comparable, relative_name, spellings
from splitpose.errors import some_of

ANNOTATION_FOLDERS = {"annotations", "annotation", "anns", "ann", "labels", "label", "jsons", "json"}
"""Names of folders of annotations, beside which tools put the images."""

SUBSET_PREFIXES = ("person_keypoints_", "instances_", "keypoints_", "annotations_")
"""What precedes the name of the subset in COCO's and CVAT's file names, as in person_keypoints_val2017."""

IGNORED_FOLDERS = {"__MACOSX"}
"""Folders that are not searched, besides hidden ones: macOS writes files with the names of the images there."""

MAX_TRIED = 4
"""Number of tried paths that are listed."""


@dataclass(frozen=True)
class FoundImages:
    """The result of a search for several images."""

    paths: dict[str, Path]
    """Path of each image that was found, by the name in the annotations."""
    ambiguous: dict[str, tuple[Path, Path]] = field(default_factory=dict)
    """Two different files that each of these names may mean."""


@dataclass(frozen=True)
class ImageFinder:
    """Finds image files by the names that annotations give them.

    A name is a path below one of the folders. If there is no such file, the folders are searched for the file whose
    path ends in the same way, in any of the `spellings` of the name, letter cases and encodings of accents. Several
    such files are an image only if they have the same content. A path that is found is always below one of the
    folders; hidden and linked folders are not searched.

    Args:
        folders: folders that are searched with their subfolders, the most likely one first.
        search: False to try the names only, each as a path below a folder.
    """

    folders: Sequence[Path]
    search: bool = True

    def find(self, file_name: str) -> Path | None:
        """Return the path of an image, None if there is no such file or several different ones."""
        return self.find_all([file_name]).paths.get(file_name)

    def find_all(self, file_names: Iterable[str]) -> FoundImages:
        """Find all images of an annotation file.

        If only the last parts of a name agree with those of a file, and another name means this file too, then the
        first name is regarded as missing: a/1.jpg is not b/1.jpg.
        """
        paths, matches, ambiguous = dict[str, str](), dict[str, _Match](), dict[str, tuple[Path, Path]]()
        for name in dict.fromkeys(file_names):
            if path := self._exact(name):
                paths[name] = path
            elif self.search:
                best = self._matches(name)
                if different := _different_file(best):
                    ambiguous[name] = different
                elif best:
                    matches[name] = best[0]
        claims = defaultdict[str, set[tuple[str, ...]]](set)
        for path in paths.values():
            claims[path].add(())
        for match in matches.values():
            claims[match.path].add(match.unmatched)
        paths |= {name: match.path for name, match in matches.items() if match.is_plausible(claims[match.path])}
        return FoundImages({name: Path(path) for name, path in paths.items()}, ambiguous)

    def missing_path(self, file_name: str) -> Path:
        """Return the path at which a missing image was expected first, for the annotation table."""
        return self.folders[0] / (relative_name(file_name) or PurePosixPath(file_name))

    def missing_note(self, file_names: Iterable[str], found: FoundImages) -> str | None:
        """Return one line on the images that were not found: their number and the paths that were tried."""
        names = list(dict.fromkeys(file_names))
        missing = [name for name in names if name not in found.paths]
        if not missing:
            return None
        first = missing[0]
        count = f"{len(missing):,} of {len(names):,} images not found"
        if files := found.ambiguous.get(first):
            problem = f"{first!r} may be {files[0]} or {files[1]}, which differ; give more of its path"
            return f"{count}; {problem}, or the folder of the images"
        tried = self._tried(first)
        listed = some_of(tried, MAX_TRIED) or "no path, because the name leads out of every folder"
        below = some_of(self._trees) if self.search and tried else ""
        searched = f", and files of this name below {below}" if below else ""
        return f"{count}; for the first one, {first!r}, tried {listed}{searched}"

    def _tried(self, file_name: str) -> list[str]:
        name = relative_name(file_name)
        return [f"{folder}/{name}" for folder in self.folders] if name else []

    def _exact(self, file_name: str) -> str | None:
        """Return the file at the path that a name states, below the first folder with one."""
        return self._stated(file_name) or self._stated(str(relative_name(file_name) or ""))

    def _stated(self, name: str) -> str | None:
        if not name or name.startswith("/") or ".." in name.split("/"):
            return None
        # As text, because a Path takes longer to create than the call, and there may be 100,000 images.
        paths = (f"{folder}/{name}" for folder in self._ranks)
        return next((path for path in paths if os.path.isfile(path)), None)  # noqa: PTH113

    def _matches(self, file_name: str) -> list["_Match"]:
        """Return the files that a name may mean equally well."""
        names = spellings(file_name)
        for index in ("_index", "_uploads"):
            for name in names:
                if paths := getattr(self, index).get(comparable(name.name)):
                    matches = [self._match(name, path) for path in paths]
                    best = max(match.order for match in matches)
                    return [match for match in matches if match.order == best]
        return []

    def _match(self, name: PurePosixPath, path: str) -> "_Match":
        """Compare the parts of a name with those of a file's path, from the end."""
        parts = [comparable(part) for part in name.parts]
        folder, _, file = path.rpartition("/")
        length = 1  # the file name, which is equal or that of an upload
        while length < len(parts) and folder not in self._trees:
            above, _, part = folder.rpartition("/")
            if comparable(part) != parts[-length - 1]:
                break
            folder, length = above, length + 1
        rank = self._ranks.get(folder)
        return _Match(path, length, file == name.name, rank, tuple(parts[:-length]))

    @cached_property
    def _ranks(self) -> dict[str, int]:
        """Index of each of the folders that exist."""
        folders = dict.fromkeys(str(folder) for folder in self.folders if folder.is_dir())
        return {folder: rank for rank, folder in enumerate(folders)}

    @cached_property
    def _trees(self) -> list[str]:
        """The folders that exist, without those that are below another one or the same as an earlier one."""
        real = {folder: Path(folder).resolve() for folder in self._ranks}
        distinct = {path: folder for folder, path in reversed(real.items())}
        return [
            folder
            for folder, path in real.items()
            if distinct[path] == folder and not distinct.keys() & set(path.parents)
        ]

    @cached_property
    def _index(self) -> dict[str, list[str]]:
        """All files below the folders by comparable name, sorted by path; read once."""
        index = defaultdict[str, list[str]](list)
        for path in sorted(path for tree in self._trees for path in _files(tree)):
            index[comparable(path.rpartition("/")[2])].append(path)
        return dict(index)

    @cached_property
    def _uploads(self) -> dict[str, list[str]]:
        """The files of `_index` by the name that an upload gives them."""
        uploads = defaultdict[str, list[str]](list)
        for paths in self._index.values():
            for path in paths:
                uploads[as_uploaded(path.rpartition("/")[2])].append(path)
        return dict(uploads)


@dataclass(frozen=True)
class _Match:
    """A file whose path ends like a name."""

    path: str
    length: int
    """Number of equal parts at the end."""
    is_same_spelling: bool
    rank: int | None
    """Index of the folder in which the equal parts are; None if they are in a subfolder of a folder."""
    unmatched: tuple[str, ...]
    """The other parts of the name."""

    @property
    def order(self) -> tuple[int, bool, float]:
        """Key by which the best match is the largest."""
        return self.length, self.is_same_spelling, -math.inf if self.rank is None else -self.rank

    def is_plausible(self, claims: set[tuple[str, ...]]) -> bool:
        """Return whether the name means the file, given the unmatched parts of all names that lead to it."""
        others = claims - {self.unmatched}
        if not self.unmatched or not others:
            return True
        return others == {()} and self.rank is not None


def image_folders(annotations: Path, images: Path | None = None, boundary: Path | None = None) -> list[Path]:
    """Return the folders in which tools put the images of an annotation file, for `ImageFinder`.

    Args:
        annotations: the annotation file, or the folder of a format with one file per image.
        images: folder of the images, if it is known; otherwise they are beside the annotations or in images/ there,
            or, if these exist, in images/ or a folder with the name of the subset next to the annotations' folder.
            A folder such as annotations/ belongs to the folder above it.
        boundary: folder that is not left.
    """
    subsets = _subset_names(annotations)
    if images is not None:
        return [images, *_existing([images / "images", *(images / subset for subset in subsets)])]
    folder = annotations if annotations.is_dir() else annotations.parent
    belongs_above = [part.parent for part in (folder, folder.parent) if part.name.casefold() in ANNOTATION_FOLDERS]
    above = belongs_above[0] if belongs_above else folder.parent
    near = [base / name for base in (folder / "images", folder, above / "images", above) for name in subsets]
    near += [above / "images", *belongs_above]
    if boundary is not None:
        near = [path for path in near if path.is_relative_to(boundary)]
    return list(dict.fromkeys([folder, folder / "images", *_existing(near)]))


def common_root(folders: Iterable[Path]) -> Path:
    """Return the deepest folder that contains all folders."""
    return Path(os.path.commonpath(list(folders)))


def _subset_names(annotations: Path) -> list[str]:
    """Return the names that an annotation file's folder of images may have: val2017, val ..."""
    stem = annotations.name if annotations.is_dir() else annotations.stem
    names = [stem, *(stem.removeprefix(prefix) for prefix in SUBSET_PREFIXES)]
    if not annotations.is_dir():
        names.append(annotations.parent.name)
    names += [name.rstrip("0123456789") for name in names]
    return [name for name in dict.fromkeys(names) if name.strip("_.") and name.casefold() not in ANNOTATION_FOLDERS]


def _existing(folders: Iterable[Path]) -> list[Path]:
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def _files(folder: str) -> list[str]:
    """Return all files below a folder, except those in hidden or linked folders."""
    files, folders = list[str](), [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name in IGNORED_FOLDERS:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif entry.is_file():
                        files.append(entry.path)
        except OSError:  # a folder without permission; its images are reported as missing
            continue
    return files


def _different_file(matches: Sequence[_Match]) -> tuple[Path, Path] | None:
    """Return the first of several files and one with another content, None if all have the same."""
    for match in matches[1:]:
        if not _same_content(matches[0].path, match.path):
            return Path(matches[0].path), Path(match.path)
    return None


def _same_content(first: str, second: str) -> bool:
    try:
        return filecmp.cmp(first, second, shallow=False)
    except OSError:
        return False
