"""Image scan: decodes all images, the slow part of validation, and caches the results for the next run."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import NamedTuple

import cv2
import pandas as pd

from splitpose import images, pillow_images
from splitpose.progress import track
from splitpose.validation import near_duplicates

KEY_COLUMNS = ["image", "width", "height"]


class ScannedImage(NamedTuple):
    """The result of decoding one image."""

    content_digest: str | None
    image_error: str | None
    image_warning: str | None
    image_size: str | None
    perceptual_hash: str | None

    @classmethod
    def unreadable(cls, error: str, content_digest: str | None = None) -> "ScannedImage":
        """Return the result for an image that cannot be read."""
        return cls(content_digest, error, None, None, None)


Cache = Mapping[tuple[str, int, int], ScannedImage]
"""Scanned images by content digest, annotated width and height."""


def scan_images(table: pd.DataFrame, root: Path, cache: pd.DataFrame | None = None) -> pd.DataFrame:
    """Decode every image of an annotation table, in threads and with a progress bar.

    Images are decoded completely: reading only the headers would be faster, but not detect truncated files.

    Args:
        table: annotation table. An image is decoded once for each width and height that its rows state, because
            the size decides whether its EXIF orientation is applied.
        root: folder that `image` is relative to.
        cache: an earlier result of this function. Files are read again, but only decoded if their content has
            changed; results of another version of the code are ignored.

    Returns:
        A frame sorted by its columns `image`, `width` and `height`, with the text columns `content_digest` (of
        the file), `image_error` (empty if the image can be read), `image_warning` (of a truncated image that can
        be read), `image_size` ("720x480": width x height in px), `perceptual_hash`, and `code_digest` (of the code
        that decoded it).
    """
    keys = table[KEY_COLUMNS].drop_duplicates().sort_values(KEY_COLUMNS, ignore_index=True)
    cached = _load_cache(cache)

    def scan(image: str, width: int, height: int) -> ScannedImage:
        return _scan(root, image, (width, height), cached)

    with ThreadPoolExecutor() as pool:
        results = pool.map(scan, *(keys[column].tolist() for column in KEY_COLUMNS))
        scanned = list(track(results, "scanning images", len(keys), "images"))
    frame = pd.DataFrame(scanned, columns=ScannedImage._fields, dtype=object)
    return keys.join(frame).assign(code_digest=_code_digest())


def format_size(width: int, height: int) -> str:
    """Return an image size as text, "<width>x<height>"."""
    return f"{width}x{height}"


def _load_cache(cache: pd.DataFrame | None) -> Cache:
    fields = list(ScannedImage._fields)
    if cache is None or not {*fields, "code_digest"} <= set(cache):  # of an earlier version
        return {}
    cache = cache[(cache["code_digest"] == _code_digest()) & cache["content_digest"].notna()]
    rows = cache[fields].astype(object).where(cache[fields].notna(), None)
    keys = zip(cache["content_digest"], cache["width"], cache["height"], strict=True)
    return dict(zip(keys, (ScannedImage(*row) for row in rows.itertuples(index=False)), strict=True))


def _scan(root: Path, image: str, size: tuple[int, int], cache: Cache) -> ScannedImage:
    if PurePath(image).is_absolute() or ".." in PurePath(image).parts:
        return ScannedImage.unreadable("path outside the folder of images")
    try:
        data = (root / image).read_bytes()
    except OSError as error:
        return ScannedImage.unreadable(str(error.strerror))
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    if (digest, *size) in cache:
        return cache[(digest, *size)]
    decoded = images.decode_truncated(data, size, grey=True)
    if decoded is None:
        return ScannedImage.unreadable("not an image, damaged or truncated", digest)
    height, width = decoded.pixels.shape
    perceptual_hash = near_duplicates.perceptual_hash(decoded.pixels)
    return ScannedImage(digest, None, decoded.warning, format_size(width, height), perceptual_hash)


def _code_digest() -> str:
    """Return a digest of the code and the OpenCV version, on which the results depend besides the images."""
    digest = hashlib.blake2b(cv2.__version__.encode(), digest_size=16)
    for source in (__file__, near_duplicates.__file__, images.__file__, pillow_images.__file__):
        digest.update(Path(source).read_bytes())
    return digest.hexdigest()
