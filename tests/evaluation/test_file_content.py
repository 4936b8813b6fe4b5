import gzip
import re
import zipfile
from pathlib import Path

import pytest

from splitpose.errors import InputError
from splitpose.evaluation.file_content import detect_content


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"", "text"),
        (b"id,nose_x,nose_y\n", "text"),
        ("id;nose_x".encode("utf-16"), "text"),
        (b'\xef\xbb\xbf \n{"images": []}', "json"),
        ("[1]".encode("utf-16"), "json"),
        (b'<?xml version="1.0"?><annotations/>', "xml"),
        (b"PAR1\x15\x04", "parquet"),
    ],
)
def test_content(tmp_path: Path, data: bytes, content: str) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(data)
    assert detect_content(path) == content


def archive(path: Path, member: str) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(member, "content")


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("xl/workbook.xml", "f.csv: is an Excel workbook (.xlsx); save it as CSV"),
        ("content.xml", "f.csv: is an OpenDocument spreadsheet (.ods); save it as CSV"),
        ("p.csv", "f.csv: is a ZIP archive; unpack it and give the file of joints in it"),
    ],
)
def test_archives(tmp_path: Path, member: str, message: str) -> None:
    archive(tmp_path / "f.csv", member)
    with pytest.raises(InputError, match=re.escape(message)):
        detect_content(tmp_path / "f.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04", "f.csv: is a damaged ZIP archive or Excel workbook; save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "f.csv: is an Excel workbook (.xls); save it as CSV"),
        (gzip.compress(b"id", mtime=0), "f.csv: is compressed (gzip); unpack it"),
        (b"<!DOCTYPE html><html>", "f.csv: is a web page (HTML); save the table as CSV"),
    ],
)
def test_formats_that_are_not_read(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "f.csv").write_bytes(data)
    with pytest.raises(InputError, match=re.escape(message)):
        detect_content(tmp_path / "f.csv")
