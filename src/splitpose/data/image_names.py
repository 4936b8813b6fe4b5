"""Spellings of the image names in annotation files, which tools write for servers and other operating systems.

Sources: Label Studio's guide to storage (`/data/upload/<project>/<8 hex digits>-<name>`,
`/data/local-files/?d=<path>`, `/tasks/<id>/resolve/?fileuri=<base64>`, `s3://<bucket>/<path>`) and Django's
`get_valid_filename`, which names its uploads; COCO Annotator's `/datasets/<path>`; labelme's `imagePath`, which has
backslashes and a leading `..` on Windows.
"""

import base64
import binascii
import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of an uploaded file."""

UPLOADED = re.compile(r"[^-\w.]")
"""Characters that Django removes from the name of an uploaded file; it replaces spaces with underscores before."""


def relative_name(file_name: str) -> PurePosixPath | None:
    """Return a name as a path below the folder of images, without drive, server and leading `..`.

    A relative path with forward slashes is unchanged. Returns None for a name that is not a path below a folder,
    such as "." and "a/../../b".
    """
    return _below_folder(_from_url(file_name.replace("\\", "/")))


def spellings(file_name: str) -> list[PurePosixPath]:
    """Return the paths that a name may mean, the most likely one first; none if it is no path below a folder."""
    slashes = file_name.replace("\\", "/")
    unquoted = unquote(slashes)
    texts = [slashes, _from_url(slashes), unquoted, _from_url(unquoted), unquote(unquoted)]
    paths = [path for text in dict.fromkeys(texts) if (path := _below_folder(text))]
    originals = [path.with_name(UPLOAD_PREFIX.sub("", path.name, count=1)) for path in paths]
    return list(dict.fromkeys([*paths, *originals]))


def comparable(text: str) -> str:
    """Return text that is equal for names that differ in letter case or in the encoding of accents only."""
    if text.isascii():  # most names; twenty times as fast
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def as_uploaded(name: str) -> str:
    """Return the comparable name that an upload to a Django server, such as Label Studio's, gives a file."""
    return comparable(UPLOADED.sub("", unicodedata.normalize("NFC", name).strip().replace(" ", "_")))


def _from_url(text: str) -> str:
    """Return the path in a URL, or in the query of a URL path; other text is returned unchanged."""
    if "?" not in text and "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:  # such as "http://[" with an invalid address
        return text
    query = parse_qs(parts.query)
    if path := query.get("d"):
        return path[0].replace("\\", "/")
    if uri := query.get("fileuri"):
        return _from_url(_decode_base64(uri[0]))
    if "://" in text:
        return f"{parts.netloc}/{unquote(parts.path)}"
    return parts.path if query else text


def _decode_base64(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode() or text
    except (binascii.Error, ValueError):
        return text


def _below_folder(text: str) -> PurePosixPath | None:
    """Return text as a relative path without drive and leading `..`, None if nothing is left or it leads out."""
    parts = [part for part in PurePosixPath(text).parts if part != "/" and part != "//"]
    while parts and (parts[0] == ".." or re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:", parts[0])):
        parts = parts[1:]
    return PurePosixPath(*parts) if parts and ".." not in parts and "\0" not in text else None
