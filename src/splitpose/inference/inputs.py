"""What is looked at: the pictures and videos among files and folders, each under a name of its own."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from splitpose.errors import InputError

PICTURES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".png",
        ".bmp",
        ".dib",
        ".webp",
        ".tif",
        ".tiff",
        ".gif",
        ".avif",
        ".jp2",
        ".ppm",
        ".pgm",
    }
)
VIDEOS = frozenset(
    {
        ".mp4",
        ".m4v",
        ".mov",
        ".avi",
        ".mkv",
        ".webm",
        ".mpg",
        ".mpeg",
        ".mts",
        ".m2ts",
        ".ts",
        ".wmv",
        ".flv",
        ".3gp",
    }
)
"""By these ends of their names files are found in folders, and videos told from pictures."""


@dataclass(frozen=True)
class Input:
    """A picture or a video; `name` is its path below the folder that all inputs share, with forward slashes."""

    path: Path
    name: str

    @property
    def is_video(self) -> bool:
        """Whether it is read as a video."""
        return self.path.suffix.lower() in VIDEOS


def gather(given: Sequence[Path], out: Path) -> tuple[list[Input], list[str]]:
    """The pictures and videos that are meant, each once, those of a folder and all folders in it by name.

    Args:
        given: files and folders; hidden files, and what lies in `out`, are no part of a folder.
        out: where drawings go.

    Returns:
        The inputs, and a line for each of `given` that is not there or is a folder without any.

    Raises InputError if a drawing would take an input's place.
    """
    found: dict[Path, None] = {}
    problems = []
    for path in map(_absolute, given):
        inside = _in_folder(path, _absolute(out)) if path.is_dir() else [path]
        if not path.exists():
            problems.append(f"{path}: no such file or folder")
        elif not inside:
            problems.append(f"{path}: no pictures or videos are in it ({', '.join(sorted(PICTURES | VIDEOS))})")
        else:
            found |= dict.fromkeys(inside)
    shared = _shared_folder(given)
    inputs = [Input(path, path.relative_to(shared).as_posix()) for path in found]
    for each in inputs:
        if _absolute(out) / each.name == each.path:
            raise InputError(f"{each.path}: its drawing would take its place; choose another folder for --out")
    return inputs, problems


def _absolute(path: Path) -> Path:
    """Absolute and without `..`, but with its links as they are: whoever links a file gives it a name."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _in_folder(folder: Path, out: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in PICTURES | VIDEOS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and (out == folder or not path.is_relative_to(out))
        and path.is_file()
    ]


def _shared_folder(given: Iterable[Path]) -> Path:
    folders = [path if path.is_dir() else path.parent for path in map(_absolute, given)]
    return Path(os.path.commonpath(folders))
