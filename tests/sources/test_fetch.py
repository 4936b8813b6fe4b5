import hashlib
import zipfile

import pytest

from splitpose.errors import InputError
from splitpose.sources import fetch


def archive(path, members):
    with zipfile.ZipFile(path, "w") as content:
        for name, text in members.items():
            content.writestr(name, text)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_whole_archive_is_unpacked(tmp_path):
    path, sha256 = archive(tmp_path / "f.zip", {"FLIC/examples.mat": "m", "FLIC/images/a.jpg": "j"})
    fetch.unpack(path, "FLIC", sha256, tmp_path / "raw")
    assert (tmp_path / "raw" / "FLIC" / "images" / "a.jpg").read_text() == "j"


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(InputError, match=r"FLIC.zip: no such archive; correct source.archive"):
        fetch.unpack(tmp_path / "FLIC.zip", "FLIC", "0" * 64, tmp_path)


def test_a_truncated_archive_is_told_by_its_hash(tmp_path):
    path, sha256 = archive(tmp_path / "f.zip", {"FLIC/examples.mat": "m" * 1000})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"f.zip: its sha256 is .* not FLIC's .* get it anew"):
        fetch.unpack(path, "FLIC", sha256, tmp_path)


def test_no_zip(tmp_path):
    path = tmp_path / "f.zip"
    path.write_text("<html>sign in</html>")
    with pytest.raises(InputError, match=r"f.zip: not a whole zip"):
        fetch.unpack(path, "FLIC", hashlib.sha256(path.read_bytes()).hexdigest(), tmp_path)


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "FLIC/../../outside", "other/outside"])
def test_members_that_lead_elsewhere_are_refused(tmp_path, name):
    path, sha256 = archive(tmp_path / "f.zip", {name: "x"})
    with pytest.raises(InputError, match=r"leads out of FLIC/"):
        fetch.unpack(path, "FLIC", sha256, tmp_path / "deep" / "raw")
    assert not list(tmp_path.rglob("outside"))


def test_without_a_network_the_way_out_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(fetch.URLS, "FLIC", "http://127.0.0.1:9/FLIC.zip")  # nothing listens there
    with pytest.raises(
        InputError, match=r"FLIC.zip: cannot be downloaded .* put its path into source.archive"
    ) as e:
        fetch.fetch("FLIC", tmp_path)
    assert "\n" not in str(e.value)
