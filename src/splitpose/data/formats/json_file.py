"""Reading of large JSON files as UTF-8 that strict parsers accept."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

from splitpose.errors import InputError
from splitpose.progress import transfer

LARGE = 20_000_000
"""Size in bytes from which progress is displayed; smaller files take less than a second."""

BLOCK = 2**24
"""Bytes that are read at a time."""

_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|NaN|-?Infinity', re.DOTALL)
"""Strings, so that nothing is replaced in them, and the numbers that Python writes although JSON has none."""


def read_json(path: Path, advice: str) -> bytes | bytearray:
    """Return the text of a JSON file as UTF-8, with a progress bar if it is large.

    A byte order mark is removed, UTF-16 with one is converted, and NaN and Infinity become null.

    Args:
        path: the file.
        advice: end of the error, such as "; provide a COCO keypoints JSON".

    Raises:
        InputError: The file cannot be read.
    """
    try:
        data: bytes | bytearray = _read(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}{advice}") from error
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeError as error:
            raise InputError(f"{path}: Invalid JSON: damaged UTF-16 text{advice}") from error
    return _without_non_finite(data.removeprefix(BOM_UTF8))


def _read(path: Path) -> bytes | bytearray:
    size = path.stat().st_size
    if size < LARGE:
        return path.read_bytes()
    data = bytearray()
    with transfer() as progress, progress.open(path, "rb", description=f"reading {path.name}") as file:
        while block := file.read(BLOCK):
            data += block
    return data


def _without_non_finite(data: bytes | bytearray) -> bytes | bytearray:
    """Replace NaN, Infinity and -Infinity by null."""
    if b"NaN" not in data and b"Infinity" not in data:
        return data
    replaced, start = bytearray(), 0
    for token in _TOKENS.finditer(data):
        if not token[0].startswith(b'"'):
            replaced += data[start : token.start()] + b"null"
            start = token.end()
    return replaced + data[start:]
