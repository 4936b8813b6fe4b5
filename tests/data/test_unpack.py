import stat
import zipfile
from collections import namedtuple

import pytest

from splitpose.data import unpack as module
from splitpose.data.unpack import unpack
from splitpose.errors import InputError

VALID = {"FLIC/examples.mat": "m", "FLIC/images/a.jpg": "j"}


def write_archive(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as content:
        for name, text in members.items() if isinstance(members, dict) else members:
            content.writestr(name, text)
    return path


def assert_rejected(tmp_path, path, match):
    """Check that unpacking fails with a one-line error and leaves nothing behind."""
    folder = tmp_path / "deep" / "raw"
    with pytest.raises(InputError, match=match) as raised:
        unpack(path, "FLIC", folder)
    assert "\n" not in str(raised.value)
    assert not folder.exists() or not list(folder.iterdir())
    assert not list(tmp_path.rglob("outside*"))


def special_member(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def list_files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_valid_archive_is_unpacked(tmp_path):
    path = write_archive(tmp_path / "f.zip", [("FLIC/", ""), ("FLIC/images/", ""), *VALID.items()])
    unpack(path, "FLIC", tmp_path / "raw")
    assert list_files(tmp_path / "raw") == ["FLIC/examples.mat", "FLIC/images/a.jpg"]
    assert (tmp_path / "raw" / "FLIC" / "images" / "a.jpg").read_text() == "j"


def test_an_existing_folder_is_replaced(tmp_path):
    (tmp_path / "FLIC").mkdir()
    (tmp_path / "FLIC" / "old").touch()
    unpack(write_archive(tmp_path / "f.zip", VALID), "FLIC", tmp_path)
    assert list_files(tmp_path / "FLIC") == ["examples.mat", "images/a.jpg"]


def test_files_of_the_operating_system_are_ignored(tmp_path):
    extras = [
        "__MACOSX/FLIC/._a.jpg",
        ".DS_Store",
        "FLIC/.DS_Store",
        "FLIC/images/._a.jpg",
        "FLIC/images/Thumbs.db",
    ]
    unpack(write_archive(tmp_path / "f.zip", VALID | dict.fromkeys(extras, "x")), "FLIC", tmp_path / "raw")
    assert list_files(tmp_path / "raw") == ["FLIC/examples.mat", "FLIC/images/a.jpg"]


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/outside", "FLIC/../../outside", "FLIC\\..\\outside", "FLIC/images/../outside", "."]
)
def test_members_with_a_path_outside_the_archive(tmp_path, name):
    assert_rejected(
        tmp_path,
        write_archive(tmp_path / "f.zip", VALID | {name: "x"}),
        r"f.zip: member '.*' has a path outside the archive",
    )


@pytest.mark.parametrize("name", ["other/outside", "outside", "FLIC", "FLIC-full/outside"])
def test_members_outside_the_edition(tmp_path, name):
    assert_rejected(
        tmp_path, write_archive(tmp_path / "f.zip", {name: "x"}), rf"f.zip: member '{name}' is not in FLIC/"
    )


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644])
def test_links_and_other_special_files(tmp_path, mode):
    path = write_archive(tmp_path / "f.zip", [(special_member("FLIC/images/a.jpg", mode), "/etc/passwd")])
    assert_rejected(tmp_path, path, r"'FLIC/images/a.jpg' is a link or another special file")


@pytest.mark.parametrize("name", ["FLIC/examples.mat", "FLIC//examples.mat", "FLIC/./examples.mat"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_members(tmp_path, name):
    path = write_archive(tmp_path / "f.zip", [*VALID.items(), (name, "other")])
    assert_rejected(tmp_path, path, rf"member '{name}' is a duplicate")


def test_a_member_that_is_a_file_and_a_folder(tmp_path):
    path = write_archive(tmp_path / "f.zip", VALID | {"FLIC/images": "x"})
    assert_rejected(tmp_path, path, r"f.zip: FLIC/images is both a file and a folder")


def test_an_encrypted_member(tmp_path):
    path = write_archive(tmp_path / "f.zip", {"FLIC/examples.mat": "m"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # flags in the central directory
    path.write_bytes(content)
    assert_rejected(tmp_path, path, r"'FLIC/examples.mat' is encrypted")


def test_a_zip_bomb(tmp_path):
    path = write_archive(tmp_path / "f.zip", {"FLIC/examples.mat": bytes(2_000_000)}, zipfile.ZIP_DEFLATED)
    assert_rejected(tmp_path, path, r"'FLIC/examples.mat' unpacks from 1,9\d\d to 2,000,000 bytes")


def test_small_members_may_have_any_compression_ratio(tmp_path):
    path = write_archive(tmp_path / "f.zip", {"FLIC/examples.mat": bytes(1_000_000)}, zipfile.ZIP_DEFLATED)
    unpack(path, "FLIC", tmp_path / "raw")
    assert (tmp_path / "raw" / "FLIC" / "examples.mat").stat().st_size == 1_000_000


@pytest.mark.parametrize("limit", ["MAX_MEMBERS", "MAX_BYTES"])
def test_too_many_members_or_bytes(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(module, limit, 1)
    assert_rejected(
        tmp_path,
        write_archive(tmp_path / "f.zip", VALID),
        r"f.zip: unpacks to 2 files of 2 bytes; this is not FLIC",
    )


def test_a_file_that_is_not_a_zip(tmp_path):
    path = tmp_path / "f.zip"
    path.write_text("<html>sign in</html>")
    assert_rejected(
        tmp_path, path, r"f.zip: not a complete zip archive \(File is not a zip file\); download it again"
    )


def test_a_truncated_zip(tmp_path):
    path = write_archive(tmp_path / "f.zip", VALID)
    path.write_bytes(path.read_bytes()[:-30])
    assert_rejected(tmp_path, path, r"f.zip: not a complete zip archive")


def test_a_corrupt_member_leaves_nothing(tmp_path):
    path = write_archive(tmp_path / "f.zip", VALID | {"FLIC/images/b.jpg": "pixels"})
    path.write_bytes(path.read_bytes().replace(b"pixels", b"pixexs"))
    assert_rejected(
        tmp_path,
        path,
        r"f.zip: not a complete zip archive \(Bad CRC-32 for file 'FLIC/images/b.jpg'\); download it again",
    )


def test_a_corrupt_compressed_member(tmp_path):
    path = write_archive(tmp_path / "f.zip", {"FLIC/examples.mat": "0123456789" * 50}, zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    content[content.index(b"examples.mat") + len("examples.mat")] = 0xFF  # an invalid deflate block type
    path.write_bytes(content)
    assert_rejected(
        tmp_path,
        path,
        r"f.zip: not a complete zip archive \(Error -3 while decompressing data: .*\); download it again",
    )


def test_a_member_longer_than_the_file(tmp_path):
    path = write_archive(tmp_path / "f.zip", {"FLIC/examples.mat": "x" * 1000})
    path.write_bytes(path.read_bytes().replace((1000).to_bytes(4, "little"), (5000).to_bytes(4, "little")))
    assert_rejected(tmp_path, path, r"f.zip: not a complete zip archive \(.*\); download it again")


def test_a_file_name_that_is_not_utf8(tmp_path):
    path = write_archive(tmp_path / "f.zip", {"FLIC/images/é.jpg": "x"})
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xff"))
    assert_rejected(
        tmp_path,
        path,
        r"f.zip: not a complete zip archive \('utf-8' codec can't decode byte 0xff .*\); download it again",
    )


def test_an_invalid_offset_of_the_central_directory(tmp_path):
    path = write_archive(tmp_path / "f.zip", {"FLIC/examples.mat": "m"})
    content = bytearray(path.read_bytes())
    content[-6:-2] = (2**31).to_bytes(4, "little")  # offset of the central directory
    path.write_bytes(content)
    assert_rejected(tmp_path, path, r"f.zip: not a complete zip archive \(.+\); download it again")


def test_a_full_disk_is_reported_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage(10**6, 0, 8193))
    path = write_archive(tmp_path / "f.zip", VALID)  # two files of 1 byte and a block of 4096 each
    assert_rejected(tmp_path, path, r"raw: unpacking f.zip requires 8,194 bytes and 8,193 are free; free some")
