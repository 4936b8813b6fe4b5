"""File names of drawings."""

import hashlib
from pathlib import Path

MAX_NAME_BYTES = 200
"""Longest name of a drawing: file systems accept 255 bytes, and temporary files have longer names."""


def drawing_path(out: Path, name: str, suffix: str = "") -> Path:
    """Return the path of the drawing of the input `name`, with `suffix` appended.

    A file name that is too long is shortened, and keeps its suffix; a digest of the whole name keeps it unique.
    """
    path = out / f"{name}{suffix}"
    if len(path.name.encode()) <= MAX_NAME_BYTES:
        return path
    digest = hashlib.blake2b(path.name.encode(), digest_size=8).hexdigest()
    ending = f"~{digest}{path.suffix[:10]}"
    start = path.name.encode()[: MAX_NAME_BYTES - len(ending.encode())].decode(errors="ignore")
    return path.with_name(start + ending)
