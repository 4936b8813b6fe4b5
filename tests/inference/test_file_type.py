import pytest

from splitpose.inference.file_type import type_of_content


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\xd8\xff\xe1", "image"),
        (b"\0\0\0\x18ftypheic", "image"),
        (b"\0\0\0\x18ftypavif", "image"),
        (b"RIFF\1\2\3\4WEBPVP8 ", "image"),
        (b"BM\1\2\3\4\0\0\0\0", "image"),
        (b"P6\n4 4\n255\n", "image"),
        (b"\0\0\0\x18ftypmp42", "video"),
        (b"\0\0\0\x18ftyp3g2a", "video"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video"),
        (b"RIFF\1\2\3\4AVI LIST", "video"),
        (b"\x1a\x45\xdf\xa3", "video"),
        (b"OggS\0\2" + bytes(22) + b"\x80theora", "video"),
        ((b"G" + bytes(187)) * 3, "video"),
        ((bytes(4) + b"G" + bytes(187)) * 3, "video"),
        (b"OggS\0\2" + bytes(22) + b"\x01vorbis", None),
        (b"\0\0\0\x18ftypM4A ", None),
        (b"RIFF\1\2\3\4WAVEfmt ", None),
        (b"BMW and other cars", None),
        (b"PK\3\4", None),
        (b"{}", None),
        (b"", None),
    ],
)
def test_types_of_content(head, expected):
    assert type_of_content(head) == expected
