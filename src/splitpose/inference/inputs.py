"""Input files of `splitpose predict`: images and videos, given as files and folders, each with a unique name."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from splitpose.errors import InputError, one_line, printable
from splitpose.inference.file_type import detect_type, type_of_suffix

IGNORED_FOLDERS = {"__MACOSX", "@eaDir"}
"""Folders in which archives of macOS and storage devices keep files about other files."""


@dataclass(frozen=True)
class InputFile:
    """An image or a video; `name` is its path relative to the inputs' common folder, with forward slashes.

    Bytes of the path that are not UTF-8, and control characters, are escaped in the name.
    """

    path: Path
    name: str
    is_video: bool = False


@dataclass
class Inputs:
    """The inputs, an error message for each path that is skipped, and notes about ignored files."""

    files: list[InputFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Found:
    """Files that were found: those to read, with the type of those of folders, and what is left out."""

    videos: dict[Path, bool] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def collect_inputs(paths: Sequence[Path], out: Path) -> Inputs:
    """Collect images and videos, each once; those of a folder and its subfolders are sorted by path.

    Types are detected from the content. In a folder, files that are neither images nor videos are counted; hidden
    files and files in `out` are ignored. Files that seem to be images or videos but cannot be read are problems.

    Args:
        paths: files and folders.
        out: the folder of the drawings.

    Raises:
        InputError: a drawing would overwrite its input.
    """
    found, inputs = _Found(), Inputs()
    for path in map(_absolute, paths):
        if _is_folder(path):
            before = len(found.videos) + len(found.problems)
            _search_folder(path, _absolute(out), found)
            if len(found.videos) + len(found.problems) == before:
                found.problems.append(f"{printable(path)}: contains no images or videos")
        elif not _is_present(path):
            found.problems.append(f"{printable(path)}: no such file or folder")
        else:
            _add_file(path, found, is_listed=True)
    root = _common_folder(paths)
    for path, is_video in found.videos.items():
        if _absolute(out) / path.relative_to(root) == path:
            raise InputError(f"{printable(path)}: its drawing would overwrite it; choose another folder for --out")
        inputs.files.append(InputFile(path, printable(path.relative_to(root).as_posix()), is_video))
    inputs.problems = found.problems
    if found.ignored.total():
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.ignored.items()) if count)
        inputs.notes.append(f"ignored {found.ignored.total()} other file(s): {kinds}")
    return inputs


def _absolute(path: Path) -> Path:
    """Return the absolute path without `..`; symbolic links are kept, as they name the input."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  # False, not an error, if the name is too long


def _is_present(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except OSError:  # the name is too long
        return False


def _add_file(path: Path, found: _Found, is_listed: bool = False) -> None:
    """Add a file, or what prevents it from being read; unless `is_listed`, ignore it if it is of another type."""
    problem = _file_problem(path)
    if problem:
        if is_listed or type_of_suffix(path) or not path.is_file():
            found.problems.append(f"{printable(path)}: {problem}")
        else:
            found.ignored[_kind(path)] += 1
        return
    file_type = detect_type(path)
    if file_type or is_listed:
        found.videos.setdefault(path, file_type == "video")
    else:
        found.ignored[_kind(path)] += 1


def _file_problem(path: Path) -> str | None:
    """Return why a path is not a readable file, None if it is one."""
    try:
        path.stat()
        if not path.is_file():  # opening a pipe would wait for a writer
            return "is not a regular file"
        with path.open("rb"):
            return None
    except FileNotFoundError:
        return "is a broken symbolic link"
    except OSError as error:
        return one_line(error)


def _kind(path: Path) -> str:
    return printable(path.suffix.lower()) or "without a suffix"


def _search_folder(folder: Path, out: Path, found: _Found) -> None:
    """Add the files of a folder and its subfolders, sorted by path."""
    for path in sorted(_walk(folder, found)):
        if out != folder and path.is_relative_to(out):
            continue
        if path.name.startswith("."):
            found.ignored["hidden"] += 1
        else:
            _add_file(path, found)


def _walk(folder: Path, found: _Found) -> Iterator[Path]:
    """Yield all files of a folder and its subfolders; each folder is searched once, even if links form a loop."""

    def report(error: OSError) -> None:
        found.problems.append(f"{printable(error.filename)}: {one_line(error)}")

    searched = set()
    for parent, folders, files in os.walk(folder, followlinks=True, onerror=report):
        hidden = [name for name in folders if name.startswith(".") or name in IGNORED_FOLDERS]
        found.ignored["in hidden folders"] += sum(
            len(files) for name in hidden for *_, files in os.walk(Path(parent) / name)
        )
        folders[:] = sorted(set(folders) - set(hidden))
        real = Path(parent).resolve()
        if real in searched:
            folders.clear()
            continue
        searched.add(real)
        yield from (Path(parent) / name for name in files)


def _common_folder(paths: Iterable[Path]) -> Path:
    folders = [path if _is_folder(path) else path.parent for path in map(_absolute, paths)]
    return Path(os.path.commonpath(folders))
