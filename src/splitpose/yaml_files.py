"""The one way in which the project reads YAML: as DVC does, in YAML 1.2 by ruamel.yaml.

DVC writes `1e-05` where `-S` sets a small number. This is a number in YAML 1.2, but text in YAML 1.1.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splitpose.errors import InputError, one_line

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError

UTF_16_BOMS = (b"\xff\xfe", b"\xfe\xff")
LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
"""An integer that YAML 1.1 reads as octal and YAML 1.2 as decimal."""
OTHER_VERSION = re.compile(r"\s*%YAML\s+(?!1\.2\b)(\S+)")
NUMBER_OF_YAML_1_1 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
"""A sexagesimal number of YAML 1.1, as 1:30 for 90."""


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file in UTF-8, with or without byte order mark.

    Raises:
        InputError: the file cannot be read, is not UTF-8 or not valid YAML 1.2; names the line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {one_line(error)}; check the path and the permissions of the file") from error
    return parse_yaml(_decode(content, path), str(path))


def parse_yaml(text: str, name: str) -> Any:
    """Return the content of a YAML document.

    Anchors, aliases and merge keys are resolved. Keys that are listed twice are errors, and so are integers with
    leading zeros, which are octal in YAML 1.1 and decimal in YAML 1.2.

    Args:
        text: the document.
        name: the file, for messages.

    Raises:
        InputError: it is not valid YAML 1.2; names the line.
    """
    # Here, because the served model imports settings.py, but needs no YAML.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if version := OTHER_VERSION.match(text):
        raise InputError(f"{name}: line 1: declares YAML {version[1]}; remove this line, DVC reads YAML 1.2")
    yaml = YAML(typ="safe")  # the parser of DVC
    yaml.Constructor = _constructor(name)
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        raise InputError(f"{name}: {_describe(error, text)}") from error
    except YAMLError as error:
        raise InputError(f"{name}: not valid YAML: {one_line(error)}") from error
    except ValueError as error:  # the constructor of a type fails, for example of the date 2026-13-01
        raise InputError(f"{name}: not valid YAML: {one_line(error)}; quote text that looks like a date") from error


def _constructor(name: str) -> Any:
    """Return a constructor of values that rejects integers that YAML 1.1 and 1.2 read differently."""
    from ruamel.yaml.constructor import SafeConstructor

    class Constructor(SafeConstructor):
        """A class of its own, because constructors of tags are added to classes."""

    def construct_int(constructor: Any, node: Any) -> int:
        if LEADING_ZERO.fullmatch(node.value):
            sign, digits = node.value[: -len(node.value.lstrip("-+"))], node.value.lstrip("-+0_")
            remedy = f"write {sign}{digits or 0}"
            if not re.search("[89]", digits):
                remedy += f", or {sign}0o{digits or 0} for an octal number"
            raise InputError(f"{name}: line {node.start_mark.line + 1}: {node.value} has a leading zero; {remedy}")
        return int(SafeConstructor.construct_yaml_int(constructor, node))

    Constructor.add_constructor("tag:yaml.org,2002:int", construct_int)
    return Constructor


def explain_value(value: Any) -> str:
    """Return why a value is not the number or boolean that it seems to be, and the remedy; "" if unknown."""
    if isinstance(value, str):
        return _explain_text(value)
    if isinstance(value, float) and value.is_integer():
        return f"; write {int(value)}"
    return ""


def _explain_text(value: str) -> str:
    text = value.strip()
    if text.lower() in ("yes", "on", "y", "no", "off", "n"):
        return f"; {text} is text in YAML 1.2, write {'true' if text.lower() in ('yes', 'on', 'y') else 'false'}"
    if NUMBER_OF_YAML_1_1.fullmatch(text):
        return f"; {text} is text in YAML 1.2, write the number without colons"
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", text):
        return f"; {text} has a decimal comma, write {text.replace(',', '.')}"
    try:
        float(text)
    except ValueError:
        return ""
    return f"; {text} is quoted, write it without quotes"


def _decode(content: bytes, path: Path) -> str:
    """Return the text of a file. Raises InputError with the line of the first byte that is not UTF-8 text."""
    if content.startswith(UTF_16_BOMS):
        raise InputError(f"{path}: is UTF-16 text; save it as UTF-8")
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise InputError(f"{path}: line {line}: contains a NUL byte; save the file as UTF-8 text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}: line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from error


def _describe(error: "MarkedYAMLError", text: str) -> str:
    """Return the line and the problem of a syntax error, and a remedy where it is known."""
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines() or [""]
    line = min(mark.line + 1, len(lines)) if mark else 1  # the end of the text is in a line after the last one
    problem = " ".join(str(error.problem or error.context).split())
    if duplicate := re.match(r'found duplicate key "(.*?)" with', problem):
        return f"line {line}: the key {duplicate[1]} is listed twice; remove one of the lines"
    if re.match(r" *\t", lines[line - 1]):
        return f"line {line}: is indented with a tab; use spaces"
    if "another document" in problem:
        return f"line {line}: a second document begins with ---; keep only one"
    return f"line {line}: not valid YAML: {problem}"
