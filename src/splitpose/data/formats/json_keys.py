"""Keys of a JSON file, read from its beginning without parsing it."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PREFIX_BYTES = 65_536
"""Bytes that are read from the beginning of a file."""

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"\s*:?|[{}\[\]]', re.DOTALL)
"""A string, with its colon if it is a key, or a bracket."""


@dataclass(frozen=True)
class JsonKeys:
    """The outermost keys in the first bytes of a JSON file."""

    is_json: bool
    """Whether the file begins with an object or a list of objects."""
    is_list: bool
    """Whether the outermost value is a list; the keys are then those of its first objects."""
    top: frozenset[str]
    """Keys of the outermost object."""
    inner: frozenset[str]
    """Keys of the objects in it, at any depth."""
    is_closed: bool
    """Whether the file ends with the bracket that the first one requires; a truncated file does not."""


def json_keys(path: Path) -> JsonKeys:
    """Return the keys in the first bytes of a file. Raises OSError if it cannot be read."""
    with path.open("rb") as file:
        prefix = file.read(PREFIX_BYTES)
        file.seek(max(0, path.stat().st_size - 64))
        end = file.read()
    text = _decode(prefix, prefix).lstrip()
    opening = text[:1]
    closing = {"{": "}", "[": "]"}.get(opening, "")
    is_closed = bool(closing) and _decode(end, prefix).rstrip().endswith(closing)
    is_json = opening == "{" or bool(re.match(r"\[\s*(\{|\]|$)", text))
    top, inner = set[str](), set[str]()
    if is_json:
        outermost = 2 if opening == "[" else 1
        for depth, key in _keys(text):
            (top if depth == outermost else inner).add(key)
    return JsonKeys(is_json, opening == "[", frozenset(top), frozenset(inner), is_closed)


def _keys(text: str) -> Iterator[tuple[int, str]]:
    """Yield the depth, in brackets, and the name of each key."""
    depth = 0
    for token in TOKEN.findall(text):
        if token in "{[":
            depth += 1
        elif token in "}]":
            depth -= 1
        elif token.endswith(":"):
            yield depth, token.rstrip(":").rstrip()[1:-1]


def _decode(data: bytes, start: bytes) -> str:
    """Return a part of a file as text; the encoding is that of the byte order mark at its start."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.replace(b"\0", b"").decode("utf-8", "ignore")
    return data.decode("utf-8-sig", "replace")
