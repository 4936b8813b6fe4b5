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

_NON_FINITE = re.compile(rb"(?:NaN|-?Infinity)(?=\s*[,\]}])")
"""Numbers that Python and JavaScript libraries write, although JSON has none."""

_OUTSIDE = re.compile(rb"\s*[:,\]}](?:[\s:,\[\]{}0-9.eE+-]|null|true|false|NaN|Infinity)*")
"""What there can be between the quote that ends a string and a number: no text."""


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
    if data.startswith(BOM_UTF8):
        data = data[len(BOM_UTF8) :]
    if b"NaN" in data or b"Infinity" in data:
        data = _replace_non_finite(data)
    return data


def _read(path: Path) -> bytes | bytearray:
    size = path.stat().st_size
    if size < LARGE:
        return path.read_bytes()
    data = bytearray()
    with transfer() as progress, progress.open(path, "rb", description=f"reading {path.name}") as file:
        while block := file.read(BLOCK):
            data += block
    return data


def _replace_non_finite(data: bytes | bytearray) -> bytearray:
    """Return the text with null in place of NaN, Infinity and -Infinity, except in strings.

    Only the text between each of them and the quote before it is examined, because finding all strings of a large
    file takes longer than the rest of reading it. A string that looks like JSON from its start, such as ": NaN,",
    is mistaken for it.
    """
    replaced, copied, checked, is_outside = bytearray(), 0, 0, True
    for token in _NON_FINITE.finditer(data):
        quote = data.rfind(b'"', checked, token.start())
        if quote >= 0:
            is_outside = (
                not _is_escaped(data, quote) and _OUTSIDE.fullmatch(data, quote + 1, token.start()) is not None
            )
        if is_outside:
            replaced += memoryview(data)[copied : token.start()]
            replaced += b"null"
            copied = token.end()
        checked = token.end()
    replaced += memoryview(data)[copied:]
    return replaced


def _is_escaped(data: bytes | bytearray, quote: int) -> bool:
    """Return whether an odd number of backslashes precedes a quote."""
    start = quote
    while data[start - 1 : start] == b"\\":
        start -= 1
    return (quote - start) % 2 == 1
