"""Detection of images and videos from the first bytes of a file, and from its suffix if they are not known."""

from pathlib import Path
from typing import Literal

IMAGE_SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".gif", ".avif",
    ".heic", ".heif", ".jp2", ".ppm", ".pgm", ".pnm",
}  # fmt: skip
UNSUPPORTED_IMAGE_SUFFIXES = {
    ".jxl", ".svg", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".exr",
}  # fmt: skip
"""Images that are not read: vector graphics, camera raw files and others."""
VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".m2v", ".vob", ".mts", ".m2ts", ".wmv",
    ".asf", ".flv", ".3gp", ".3g2", ".ogv", ".dv", ".mxf", ".h264", ".264", ".h265", ".hevc", ".ivf", ".y4m",
}  # fmt: skip
"""Without .ts, which is also the suffix of TypeScript: transport streams are detected from their content."""
AUDIO_SUFFIXES = {".m4a", ".m4b", ".mka", ".weba", ".wma", ".oga", ".ogg"}
"""Audio in containers of videos."""

FileType = Literal["image", "video"]

HEAD_BYTES = 1024
"""Number of bytes that the detection reads."""

IMAGE_SIGNATURES = (
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51", b"8BPS", b"\0\0\0\x0cJXL ", b"\xff\x0a", b"qoif",
)  # fmt: skip
VIDEO_SIGNATURES = (
    b"\x1a\x45\xdf\xa3", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"FLV\x01", b"DKIF", b"YUV4MPEG2", b"\x06\x0e\x2b\x34",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\0\0\0\x01\x67", b"\0\0\x01\x67", b"\0\0\0\x01\x09",
    b"\0\0\0\x01\x40\x01", b"\x1f\x07\x00",
)  # fmt: skip
"""Matroska, MPEG, Flash, IVF, raw YUV, MXF, Windows Media, raw H.264 and HEVC, DV."""

IMAGE_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"crx "}
AUDIO_BRANDS = {b"M4A ", b"M4B ", b"M4P "}
VIDEO_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
"""First boxes of QuickTime files without a brand."""

SYNC_BYTE, PACKET_SIZES = 0x47, ((0, 188), (4, 192))
"""MPEG transport streams: the byte that each packet starts with; offset of the first one, and their distance."""


def detect_type(path: Path) -> FileType | None:
    """Return whether a file is an image or a video, None if it is neither.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if path.suffix.lower() in AUDIO_SUFFIXES:
        return None
    return type_of_content(head) or type_of_suffix(path)


def type_of_suffix(path: Path) -> FileType | None:
    """Return the type that a file's name states, None if it states another one or none."""
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES | UNSUPPORTED_IMAGE_SUFFIXES:
        return "image"
    return "video" if suffix in VIDEO_SUFFIXES else None


def type_of_content(head: bytes) -> FileType | None:
    """Return the type of a file that starts with `head`, None if it is not known."""
    if head.startswith(IMAGE_SIGNATURES) or _is_bitmap(head):
        return "image"
    if head.startswith(VIDEO_SIGNATURES) or _is_transport_stream(head):
        return "video"
    if head.startswith(b"RIFF"):
        return {b"WEBP": "image", b"AVI ": "video"}.get(head[8:12])  # type: ignore[return-value]
    if head.startswith(b"OggS"):
        return "video" if b"theora" in head else None
    if head[4:8] == b"ftyp":
        return "image" if head[8:12] in IMAGE_BRANDS else None if head[8:12] in AUDIO_BRANDS else "video"
    return "video" if head[4:8] in VIDEO_BOXES else None


def _is_bitmap(head: bytes) -> bool:
    """Return whether the bytes start a BMP file, whose third field is 0, or a portable pixel map (P1 to P6)."""
    is_bmp = head.startswith(b"BM") and head[6:10] == bytes(4)
    return is_bmp or (head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in b" \t\r\n" and len(head) > 3)


def _is_transport_stream(head: bytes) -> bool:
    return any(
        len(head) > start + 2 * size and all(head[start + number * size] == SYNC_BYTE for number in range(3))
        for start, size in PACKET_SIZES
    )
