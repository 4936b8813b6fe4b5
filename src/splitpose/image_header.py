"""The size of an image, read from the header of its file without decoding it."""

JPEG_START = b"\xff\xd8"
PNG_START = b"\x89PNG\r\n\x1a\n"
FRAME_MARKERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers of segments that contain the image's size (ITU-T T.81, table B.1)."""
STANDALONE_MARKERS = {0x01, *range(0xD0, 0xD8)}
"""JPEG markers without a segment."""


def image_size(data: bytes) -> tuple[int, int] | None:
    """Return the (width, height) in px that the header of a JPEG or PNG file states, before any EXIF rotation.

    Returns None for other formats, and if the header is damaged or truncated.
    """
    if data.startswith(PNG_START):
        return _png_size(data)
    if data.startswith(JPEG_START):
        return _jpeg_size(data)
    return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return the size in the first frame header; segments are found in the same way as in libjpeg."""
    position = data.find(b"\xff", len(JPEG_START))
    while 0 <= position < len(data) - 9:
        marker = data[position + 1]
        if marker in FRAME_MARKERS:
            height, width = data[position + 5 : position + 7], data[position + 7 : position + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        has_segment = marker != 0x00 and marker not in STANDALONE_MARKERS
        length = int.from_bytes(data[position + 2 : position + 4], "big") if has_segment else 0
        position = data.find(b"\xff", position + 2 + length)
    return None
