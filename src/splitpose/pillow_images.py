"""Images that OpenCV does not decode: HEIC and other formats, and truncated files, read with Pillow."""

import warnings
from dataclasses import dataclass
from io import BytesIO
from threading import Lock

import numpy as np
from PIL import Image, ImageFile, ImageOps

from splitpose import MAX_IMAGE_PIXELS

HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
"""Brands of HEIC files, the photographs of phones; they follow "ftyp" in the first box (ISO/IEC 23008-12)."""

SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
BOTTOM_UP_FORMATS = ("BMP", "DIB")
"""Formats that store the last row first."""

JPEG_FORMATS, JPEG_END = ("JPEG", "MPO"), b"\xff\xd9"
PROGRESSIVE_FRAME, SCAN = b"\xff\xc2", b"\xff\xda"
"""JPEG markers, which do not occur in compressed data (ITU-T T.81, table B.1)."""
OTHER_BITS = b"\x5a"
"""Continues a truncated JPEG file otherwise than the decoder, which assumes zeros."""

warnings.filterwarnings("ignore", category=UserWarning, module="PIL")  # truncated metadata
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # callers check `stated_size`
Image.MAX_IMAGE_PIXELS = MAX_IMAGE_PIXELS
_setting = Lock()
"""Held while Pillow's global setting for truncated files is changed."""


@dataclass(frozen=True)
class PillowImage:
    """A decoded image: (H, W, 3) uint8 BGR, its format's name, and how many of its rows were decoded.

    is_truncated: whether the decoder reported that the file ends early.
    """

    pixels: np.ndarray
    format: str
    decoded_rows: int
    rows: int
    is_truncated: bool


def stated_size(data: bytes) -> tuple[int, int] | None:
    """Return the (width, height) in px in a file's header, None if Pillow does not know the format."""
    image = _open(data)
    return image.size if image else None


def frame_count(data: bytes) -> int:
    """Return the number of frames of an animation, or of pages; 1 for other images."""
    image = _open(data)
    try:
        return getattr(image, "n_frames", 1)
    except (OSError, ValueError, SyntaxError, EOFError):  # a truncated animation
        return 1


def decode(data: bytes, orient: bool = True) -> PillowImage | None:
    """Decode an image, and of a truncated one the rows that it contains; None if that is not possible.

    Args:
        data: content of the file.
        orient: apply the EXIF orientation.
    """
    with _setting:
        for is_truncated in (False, True):
            ImageFile.LOAD_TRUNCATED_IMAGES = is_truncated
            try:
                image = _open(data)
                if image is None:
                    return None
                image.load()
                return _convert(data, image, orient, is_truncated)
            except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
                continue
            finally:
                ImageFile.LOAD_TRUNCATED_IMAGES = False
    return None


def _open(data: bytes) -> Image.Image | None:
    """Read the header of an image file."""
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        import pillow_heif  # a large library, for these files only

        pillow_heif.register_heif_opener()
    try:
        return Image.open(BytesIO(data))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _convert(data: bytes, image: Image.Image, orient: bool, is_truncated: bool) -> PillowImage:
    stored = _to_bgr(image)
    pixels = _to_bgr(ImageOps.exif_transpose(image)) if orient else stored
    missing = _missing_rows(data, image, stored) if is_truncated else 0
    return PillowImage(pixels, image.format or "", len(stored) - missing, len(stored), is_truncated)


def _to_bgr(image: Image.Image) -> np.ndarray:
    if image.mode in SIXTEEN_BIT_MODES:
        grey = (np.asarray(image, np.uint16) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])


def _missing_rows(data: bytes, image: Image.Image, pixels: np.ndarray) -> int:
    """Return the number of rows of a truncated image that its file does not contain."""
    if (pixels == pixels[0, 0]).all():  # nothing was decoded
        return len(pixels)
    if image.format in JPEG_FORMATS:
        return _missing_rows_of_jpeg(data, bool(image.info.get("progressive")), pixels)
    if image.format in BOTTOM_UP_FORMATS:
        pixels = pixels[::-1]
    # Decoders fill missing rows with one colour. The last rows of a complete image may have one colour, too.
    return _last_rows((pixels == pixels[-1, -1]).all(axis=(1, 2)))


def _missing_rows_of_jpeg(data: bytes, is_progressive: bool, pixels: np.ndarray) -> int:
    """Return the number of missing rows, which are those that depend on what follows the end of the file.

    The first scan of a progressive file has the mean colours of all blocks of 8 x 8 px; it is complete if a second
    one begins.
    """
    if is_progressive:
        scans = data[data.rfind(PROGRESSIVE_FRAME) :].count(SCAN)
        return 0 if scans > 1 else len(pixels)
    other = Image.open(BytesIO(data.rstrip(b"\xff") + OTHER_BITS * pixels.size + JPEG_END))
    differs = (pixels != _to_bgr(other)).any(axis=(1, 2))
    return len(differs) - int(np.argmax(differs)) if differs.any() else 0


def _last_rows(rows: np.ndarray) -> int:
    """Return the number of true values at the end."""
    return len(rows) if rows.all() else int(np.argmin(rows[::-1]))
