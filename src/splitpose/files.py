"""Files and folders that are whole or not there: written beside their place, then renamed into it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from splitpose.errors import InputError


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it becomes `path` if all goes well and vanishes if not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".part-{path.name}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path` to fill; it replaces `path` if all goes well and vanishes if not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".part-{path.name}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        if path.exists():
            shutil.rmtree(path)
        beside.replace(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_json(content: Any, path: Path) -> None:
    """Write JSON that people can read and compare: indented, keys as given, no NaN."""
    with atomic_file(path) as beside:
        beside.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: Path, produced_by: str) -> Any:
    """Read JSON. Raises InputError naming the file and `made_by`, the stage or command that writes it."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; {produced_by} writes it")
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path}: not valid JSON ({error}); run {produced_by} again") from error
