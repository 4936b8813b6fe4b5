"""Encoding and separator of the CSV files that spreadsheets and other programs write."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from splitpose.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),  # before UTF-16, whose mark its mark starts with
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


@dataclass(frozen=True)
class CsvText:
    """The decoded text of a CSV file, its encoding for the user, and its separator."""

    text: str
    encoding: str
    separator: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of the last line and the cells of each row, as written; a line `sep=;` is left out.

        Raises csv.Error if a quote is not closed.
        """
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.separator, strict=True)
        for cells in reader:
            if not (reader.line_num == 1 and _declared_separator(self.text)):
                yield reader.line_num, cells


def read_csv_text(path: Path, required_format: str) -> CsvText:
    """Read a CSV file in UTF-8, in UTF-16 or UTF-32 with a byte order mark, or in Windows-1252.

    The separator is the comma, semicolon or tab that gives the header most columns, or that of a first line
    `sep=;`, which Excel writes.

    Raises:
        InputError: the file cannot be read or has another encoding; `required_format` is the remedy.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: not a readable CSV ({error}); {required_format}") from error
    text, encoding = _decode(path, data)
    declared = _declared_separator(text)
    return CsvText(text, encoding, declared or _detect_separator(text))


def _decode(path: Path, data: bytes) -> tuple[str, str]:
    for mark, codec, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            try:
                return data.decode(codec), name
            except UnicodeDecodeError as error:
                raise InputError(f"{path}: is not {name} text; save it as CSV in UTF-8") from error
    # Windows-1252 would decode NUL bytes, too; in a text they mean UTF-16 without a mark.
    for codec, name in (("utf-8", "UTF-8"), ("cp1252", "Windows-1252")) if b"\0" not in data else ():
        try:
            return data.decode(codec), name
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path}: is not UTF-8 text; save it as CSV in UTF-8")


def _declared_separator(text: str) -> str | None:
    """Return the separator of a first line such as `sep=;`."""
    line = text[:10].splitlines()[0] if text else ""
    separator = line.strip('"').removeprefix("sep=")
    return separator if line.lower().strip('"').startswith("sep=") and separator in SEPARATORS else None


def _detect_separator(text: str) -> str:
    """Return the separator that splits the header into most columns; a comma if none does."""
    header = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    return max(SEPARATORS, key=header.count)
