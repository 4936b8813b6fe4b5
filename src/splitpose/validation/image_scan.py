"""Looking at pictures: the slow part of the checks, so what was seen is kept for the next time."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import NamedTuple

import cv2
import pandas as pd

from splitpose import images
from splitpose.progress import track
from splitpose.validation import near_duplicates

WANTED = ["image", "width", "height"]


class Seen(NamedTuple):
    """What a look at a picture tells."""

    content: str | None
    picture_problem: str | None
    picture_size: str | None
    fingerprint: str | None


def scan_images(table: pd.DataFrame, root: Path, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Decode every picture of an annotation table (typed), in threads, with a progress bar.

    All of each is decoded: headers alone would be quicker, but would not show a file that was cut short.

    Args:
        table: a picture is looked at once for each width and height that its people give it, because the size
            decides whether an EXIF tag turns it.
        root: `image` is below it.
        known: what this function gave before. Pictures are read again, but not decoded again if their content
            is the same; what other code than this saw is ignored.

    Returns:
        A frame sorted by its columns `image`, `width`, `height`, and with the text columns `content` (digest of
        the file), `picture_problem` (empty if it can be read), `picture_size` ("720x480": width x height in px),
        `fingerprint`, and `code` (digest of the code that looked).
    """
    wanted = table[WANTED].drop_duplicates().sort_values(WANTED, ignore_index=True)
    seen_before = _seen_before(known)

    def look(image: str, width: int, height: int) -> Seen:
        return _look(root, image, (width, height), seen_before)

    with ThreadPoolExecutor() as pool:
        found = pool.map(look, *(wanted[column].tolist() for column in WANTED))
        seen = list(track(found, "looking at pictures", len(wanted), "pictures"))
    return wanted.join(pd.DataFrame(seen, columns=Seen._fields, dtype=object)).assign(code=_code())


def size_text(width: int, height: int) -> str:
    """A picture's size as the checks compare it."""
    return f"{width}x{height}"


SeenBefore = Mapping[tuple[str, int, int], Seen]
"""By content, width and height."""


def _seen_before(known: pd.DataFrame | None) -> SeenBefore:
    if known is None or "code" not in known:
        return {}
    known = known[(known["code"] == _code()) & known["content"].notna()]
    texts = known[list(Seen._fields)].astype(object).where(known[list(Seen._fields)].notna(), None)
    keys = zip(known["content"], known["width"], known["height"], strict=True)
    return dict(zip(keys, (Seen(*row) for row in texts.itertuples(index=False)), strict=True))


def _look(root: Path, image: str, size: tuple[int, int], seen_before: SeenBefore) -> Seen:
    if PurePath(image).is_absolute() or ".." in PurePath(image).parts:
        return Seen(None, "path leads out of the folder of pictures", None, None)
    try:
        data = (root / image).read_bytes()
    except OSError as error:
        return Seen(None, str(error.strerror), None, None)
    content = hashlib.blake2b(data, digest_size=16).hexdigest()
    if (content, *size) in seen_before:
        return seen_before[(content, *size)]
    picture = images.decode(data, size, grey=True)
    if picture is None:
        return Seen(content, "no picture, damaged or cut short", None, None)
    height, width = picture.shape
    return Seen(content, None, size_text(width, height), near_duplicates.fingerprint(picture))


def _code() -> str:
    """Digest of everything that what is seen depends on, besides the pictures."""
    digest = hashlib.blake2b(cv2.__version__.encode(), digest_size=16)
    for source in (__file__, near_duplicates.__file__, images.__file__):
        digest.update(Path(source).read_bytes())
    return digest.hexdigest()
