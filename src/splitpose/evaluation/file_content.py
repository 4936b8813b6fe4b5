"""Detection of a file's format from its first bytes, because extensions are often wrong."""

import zipfile
from pathlib import Path
from typing import Literal

from splitpose.errors import InputError

Content = Literal["text", "json", "xml", "parquet"]

_BINARY = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls); save it as CSV",
    b"\x1f\x8b": "compressed (gzip); unpack it",
    b"BZh": "compressed (bzip2); unpack it",
    b"\xfd7zXZ": "compressed (xz); unpack it",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"\x89HDF": "an HDF5 file; save it as CSV",
    b"\x93NUMPY": "a NumPy array; save it as CSV",
    b"%PDF": "a PDF; save the table as CSV",
    b"\x89PNG": "an image; give a file of joints",
    b"\xff\xd8\xff": "an image; give a file of joints",
}
"""What files are whose first bytes are these, with the remedy."""

_ARCHIVE_MEMBERS = {
    "xl/workbook.xml": "an Excel workbook (.xlsx); save it as CSV",
    "xl/workbook.bin": "an Excel workbook (.xlsb); save it as CSV",
    "content.xml": "an OpenDocument spreadsheet (.ods); save it as CSV",
    "Index/Document.iwa": "a Numbers spreadsheet; export it as CSV",
}
"""What ZIP archives are that have these members, with the remedy."""


def detect_content(path: Path) -> Content:
    """Return the format of a file's content; "text" also for an empty file and for one that cannot be opened.

    Raises:
        InputError: the file is of a format that is not read, such as an Excel workbook; names it and the remedy.
    """
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError:
        return "text"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        raise InputError(f"{path}: is {_describe_archive(path)}")
    for signature, description in _BINARY.items():
        if head.startswith(signature):
            raise InputError(f"{path}: is {description}")
    start = _first_characters(head)
    if start.startswith(("<html", "<!doctype html", "<table")):
        raise InputError(f"{path}: is a web page (HTML); save the table as CSV")
    if start.startswith("<"):
        return "xml"
    # A CSV does not start with a bracket: its header has names.
    return "json" if start.startswith(("{", "[")) else "text"


def _first_characters(head: bytes) -> str:
    """Return the first characters in lower case, without a byte order mark and spaces, in any encoding."""
    ascii_only = bytes(byte for byte in head if 0 < byte < 128)
    return ascii_only.decode("ascii").lstrip().lower()


def _describe_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return "a damaged ZIP archive or Excel workbook; save it as CSV"
    descriptions = [text for member, text in _ARCHIVE_MEMBERS.items() if member in members]
    return descriptions[0] if descriptions else "a ZIP archive; unpack it and give the file of joints in it"
