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
    """Return the number of rows of a truncated image that its file does not contain.

    Decoders fill the missing rows with one colour. The last rows of a whole image can have one colour, too; in a
    JPEG file the missing rows are those that depend on what follows the end of the file.
    """
    if image.format in BOTTOM_UP_FORMATS:
        pixels = pixels[::-1]
    constant = _last_rows((pixels == pixels[-1, -1]).all(axis=(1, 2)))
    if image.format not in JPEG_FORMATS:
        return constant
    other = Image.open(BytesIO(data.rstrip(b"\xff") + OTHER_BITS * len(data) + JPEG_END))
    dependent = _last_rows((pixels != _to_bgr(other)).any(axis=(1, 2)))
    return min(dependent, constant) if image.info.get("progressive") else dependent


def _last_rows(rows: np.ndarray) -> int:
    """Return the number of true values at the end."""
    return len(rows) if rows.all() else int(np.argmin(rows[::-1]))
