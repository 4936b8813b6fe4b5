import stat
import zipfile
from collections import namedtuple

import pytest

from splitpose.data import unpack as module
from splitpose.data.unpack import unpack
from splitpose.errors import InputError

WHOLE = {"FLIC/examples.mat": "m", "FLIC/images/a.jpg": "j"}


def archive(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as content:
        for name, text in members.items() if isinstance(members, dict) else members:
            content.writestr(name, text)
    return path


def refused(tmp_path, path, match):
    """It is refused in one line, and nothing is left of it."""
    folder = tmp_path / "deep" / "raw"
    with pytest.raises(InputError, match=match) as raised:
        unpack(path, "FLIC", folder)
    assert "\n" not in str(raised.value)
    assert not folder.exists() or not list(folder.iterdir())
    assert not list(tmp_path.rglob("outside*"))


def special(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_whole_archive_is_unpacked(tmp_path):
    path = archive(tmp_path / "f.zip", [("FLIC/", ""), ("FLIC/images/", ""), *WHOLE.items()])
    unpack(path, "FLIC", tmp_path / "raw")
    assert files(tmp_path / "raw") == ["FLIC/examples.mat", "FLIC/images/a.jpg"]
    assert (tmp_path / "raw" / "FLIC" / "images" / "a.jpg").read_text() == "j"


def test_what_was_there_is_replaced(tmp_path):
    (tmp_path / "FLIC").mkdir()
    (tmp_path / "FLIC" / "old").touch()
    unpack(archive(tmp_path / "f.zip", WHOLE), "FLIC", tmp_path)
    assert files(tmp_path / "FLIC") == ["examples.mat", "images/a.jpg"]


def test_what_packers_add_is_left_out(tmp_path):
    extras = [
        "__MACOSX/FLIC/._a.jpg",
        ".DS_Store",
        "FLIC/.DS_Store",
        "FLIC/images/._a.jpg",
        "FLIC/images/Thumbs.db",
    ]
    unpack(archive(tmp_path / "f.zip", WHOLE | dict.fromkeys(extras, "x")), "FLIC", tmp_path / "raw")
    assert files(tmp_path / "raw") == ["FLIC/examples.mat", "FLIC/images/a.jpg"]


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/outside", "FLIC/../../outside", "FLIC\\..\\outside", "FLIC/images/../outside", "."]
)
def test_members_that_lead_elsewhere(tmp_path, name):
    refused(tmp_path, archive(tmp_path / "f.zip", WHOLE | {name: "x"}), r"f.zip: member '.*' leads elsewhere")


@pytest.mark.parametrize("name", ["other/outside", "outside", "FLIC", "FLIC-full/outside"])
def test_members_outside_the_edition(tmp_path, name):
    refused(tmp_path, archive(tmp_path / "f.zip", {name: "x"}), rf"f.zip: member '{name}' is not in FLIC/")


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644])
def test_links_and_other_special_files(tmp_path, mode):
    path = archive(tmp_path / "f.zip", [(special("FLIC/images/a.jpg", mode), "/etc/passwd")])
    refused(tmp_path, path, r"'FLIC/images/a.jpg' is a link or another special file")


@pytest.mark.parametrize("name", ["FLIC/examples.mat", "FLIC//examples.mat", "FLIC/./examples.mat"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_come_twice(tmp_path, name):
    path = archive(tmp_path / "f.zip", [*WHOLE.items(), (name, "other")])
    refused(tmp_path, path, rf"member '{name}' comes twice")


def test_a_member_that_is_a_file_and_a_folder(tmp_path):
    path = archive(tmp_path / "f.zip", WHOLE | {"FLIC/images": "x"})
    refused(tmp_path, path, r"f.zip: FLIC/images is a file and a folder")


def test_an_encrypted_member(tmp_path):
    path = archive(tmp_path / "f.zip", {"FLIC/examples.mat": "m"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flags in the list of members
    path.write_bytes(content)
    refused(tmp_path, path, r"'FLIC/examples.mat' is encrypted")


def test_a_member_that_grows_absurdly(tmp_path):
    path = archive(tmp_path / "f.zip", {"FLIC/examples.mat": bytes(2_000_000)}, zipfile.ZIP_DEFLATED)
    refused(tmp_path, path, r"'FLIC/examples.mat' grows from 1,9\d\d to 2,000,000 bytes")


def test_small_members_may_grow(tmp_path):
    path = archive(tmp_path / "f.zip", {"FLIC/examples.mat": bytes(1_000_000)}, zipfile.ZIP_DEFLATED)
    unpack(path, "FLIC", tmp_path / "raw")
    assert (tmp_path / "raw" / "FLIC" / "examples.mat").stat().st_size == 1_000_000


@pytest.mark.parametrize("limit", ["MOST_MEMBERS", "MOST_BYTES"])
def test_too_much_in_all(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(module, limit, 1)
    refused(tmp_path, archive(tmp_path / "f.zip", WHOLE), r"f.zip: unpacks to 2 files of 2 bytes; this is not FLIC")


def test_no_zip(tmp_path):
    path = tmp_path / "f.zip"
    path.write_text("<html>sign in</html>")
    refused(tmp_path, path, r"f.zip: not a whole zip \(File is not a zip file\); get it anew")


def test_a_truncated_zip(tmp_path):
    path = archive(tmp_path / "f.zip", WHOLE)
    path.write_bytes(path.read_bytes()[:-30])
    refused(tmp_path, path, r"f.zip: not a whole zip")


def test_a_spoilt_member_leaves_nothing(tmp_path):
    path = archive(tmp_path / "f.zip", WHOLE | {"FLIC/images/b.jpg": "pixels"})
    path.write_bytes(path.read_bytes().replace(b"pixels", b"pixexs"))
    refused(tmp_path, path, r"f.zip: not a whole zip \(Bad CRC-32 for file 'FLIC/images/b.jpg'\); get it anew")


def test_a_spoilt_compressed_member(tmp_path):
    path = archive(tmp_path / "f.zip", {"FLIC/examples.mat": "0123456789" * 50}, zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    content[content.index(b"examples.mat") + len("examples.mat")] = 0xFF  # a kind of block that there is not
    path.write_bytes(content)
    refused(tmp_path, path, r"f.zip: not a whole zip \(Error -3 while decompressing data: .*\); get it anew")


def test_a_member_that_is_longer_than_the_file(tmp_path):
    path = archive(tmp_path / "f.zip", {"FLIC/examples.mat": "x" * 1000})
    path.write_bytes(path.read_bytes().replace((1000).to_bytes(4, "little"), (5000).to_bytes(4, "little")))
    refused(tmp_path, path, r"f.zip: not a whole zip \(.*\); get it anew")


def test_a_name_that_is_no_text(tmp_path):
    path = archive(tmp_path / "f.zip", {"FLIC/images/é.jpg": "x"})
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xff"))
    refused(tmp_path, path, r"f.zip: not a whole zip \('utf-8' codec can't decode byte 0xff .*\); get it anew")


def test_a_member_said_to_be_where_none_can_be(tmp_path):
    path = archive(tmp_path / "f.zip", {"FLIC/examples.mat": "m"})
    content = bytearray(path.read_bytes())
    content[-6:-2] = (2**31).to_bytes(4, "little")  # where the list of members is said to start
    path.write_bytes(content)
    refused(tmp_path, path, r"f.zip: not a whole zip \(.+\); get it anew")


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage(10**6, 0, 8193))
    path = archive(tmp_path / "f.zip", WHOLE)  # two files of 1 byte, a block of 4096 more each
    refused(tmp_path, path, r"raw: 8,194 bytes are needed to unpack f.zip and 8,193 are free; free some")
