"""Atomic writes, which create files and folders next to their final path and then rename them; free disk space."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from splitpose.errors import InputError


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`; it is renamed to `path` on success and deleted on error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder next to `path`; it replaces `path` on success and is deleted on error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_disk_space(folder: Path, required: int, purpose: str) -> None:
    """Raise InputError if the disk of `folder` has less than `required` bytes free; `purpose` is named in it."""
    free = shutil.disk_usage(folder).free
    if free < required:
        raise InputError(
            f"{folder}: {purpose} requires {required:,} bytes and {free:,} are free; "
            "free some disk space and run again"
        )


def write_json(content: Any, path: Path) -> None:
    """Write indented JSON with the keys in the given order; NaN and infinity raise ValueError."""
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: Path, produced_by: str) -> Any:
    """Read JSON.

    Raises InputError with the file's name and `produced_by`, the stage or command that writes it.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; {produced_by} writes it")
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path}: not valid JSON ({error}); run {produced_by} again") from error
