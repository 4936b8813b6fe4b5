"""Input files of `splitpose predict`: images and videos, given as files and folders, each with a unique name."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from splitpose.errors import InputError

IMAGE_SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".gif", ".avif", ".jp2", ".ppm",
    ".pgm",
}  # fmt: skip
VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".flv",
    ".3gp",
}  # fmt: skip
SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES
"""Suffixes of the files that are collected from folders."""


@dataclass(frozen=True)
class InputFile:
    """An image or a video; `name` is its path relative to the inputs' common folder, with forward slashes."""

    path: Path
    name: str

    @property
    def is_video(self) -> bool:
        """Whether the file is read as a video."""
        return self.path.suffix.lower() in VIDEO_SUFFIXES


def collect_inputs(paths: Sequence[Path], out: Path) -> tuple[list[InputFile], list[str]]:
    """Collect images and videos, each once; those of a folder and its subfolders are sorted by path.

    Args:
        paths: files and folders; hidden files of a folder, and files in `out`, are ignored.
        out: the folder of the drawings.

    Returns:
        The inputs, and an error message for each path that does not exist or is a folder without inputs.

    Raises:
        InputError: a drawing would overwrite its input.
    """
    found: dict[Path, None] = {}
    problems = []
    for path in map(_absolute, paths):
        files = _folder_inputs(path, _absolute(out)) if path.is_dir() else [path]
        if not path.exists():
            problems.append(f"{path}: no such file or folder")
        elif not files:
            problems.append(f"{path}: contains no images or videos ({', '.join(sorted(SUFFIXES))})")
        else:
            found |= dict.fromkeys(files)
    root = _common_folder(paths)
    inputs = [InputFile(path, path.relative_to(root).as_posix()) for path in found]
    for file in inputs:
        if _absolute(out) / file.name == file.path:
            raise InputError(f"{file.path}: its drawing would overwrite it; choose another folder for --out")
    return inputs, problems


def _absolute(path: Path) -> Path:
    """Return the absolute path without `..`; symbolic links are kept, as they name the input."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _folder_inputs(folder: Path, out: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and (out == folder or not path.is_relative_to(out))
        and path.is_file()
    ]


def _common_folder(paths: Iterable[Path]) -> Path:
    folders = [path if path.is_dir() else path.parent for path in map(_absolute, paths)]
    return Path(os.path.commonpath(folders))
