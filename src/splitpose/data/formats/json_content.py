"""Parsing of the JSON files of labelling tools that are read completely."""

import json
from pathlib import Path
from typing import Any

from splitpose.errors import InputError, one_line


def load(path: Path) -> Any:
    """Return the content of a JSON file in UTF-8 (with or without a byte order mark), UTF-16 or UTF-32.

    Raises:
        InputError: The file cannot be read or is no valid JSON.
    """
    try:
        data = path.read_bytes()
        return json.loads(data.decode("utf-8-sig") if data.startswith(b"\xef\xbb\xbf") else data)
    except OSError as error:
        raise InputError(f"{path}: {one_line(error)}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: damaged or truncated JSON ({one_line(error)}); export it again") from error
