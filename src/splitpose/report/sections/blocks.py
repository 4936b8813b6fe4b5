"""Construction of document blocks: figures, contact sheets and facts."""

from collections.abc import Iterator, Mapping
from typing import Any

from splitpose.report.document import Image
from splitpose.report.formatting import MISSING


def figure(name: str, title: str, caption: str, content: bytes) -> Image:
    """Return a PNG figure."""
    return Image(f"figures/{name}.png", title, caption, content)


def sheet(name: str, title: str, caption: str, content: bytes) -> Image:
    """Return a JPEG contact sheet."""
    return Image(f"figures/{name}.jpg", title, caption, content, is_sheet=True)


def flatten(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested keys and values as pairs of text: {"a": {"b": 1}} -> ("a, b", "1")."""
    for key, value in content.items():
        name = f"{prefix}, {key}" if prefix else str(key)
        name = name.replace("_", " ")
        if isinstance(value, Mapping):
            yield from flatten(value, name)
        else:
            yield name, _format_value(value)


def _format_value(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_format_value, value)) or "none"
    return str(value)
