"""The download stage places every kind of source in data/raw, completely or not at all."""

import hashlib
import json
import shutil

import cv2
import numpy as np
import pytest

from splitpose.data import download as archives
from splitpose.data import flic
from splitpose.errors import InputError
from splitpose.settings import Profile, load
from splitpose.stages.download import download
from splitpose.synthetic import sample

pytestmark = pytest.mark.integration


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A small FLIC.zip that is registered as the known archive of FLIC."""
    sample.render(tmp_path / "sample", people=20, films=5, seed=0, workers=1)
    path = tmp_path / "FLIC.zip"
    shutil.make_archive(str(path.with_suffix("")), "zip", tmp_path / "sample")
    content = path.read_bytes()
    known = archives.Archive("FLIC.zip", len(content), hashlib.sha256(content).hexdigest(), ())
    monkeypatch.setitem(archives.ARCHIVES, "FLIC", known)
    return path


def profile(repository, name, **source):
    loaded = load(Profile, repository / "profiles" / f"{name}.yaml")
    return loaded.model_copy(update={"source": loaded.source.model_copy(update=source)})


def test_flic_from_a_local_archive(repository, tmp_path, archive):
    download(profile(repository, "flic", archive=str(archive)), tmp_path / "data" / "raw")
    assert len(flic.read(tmp_path / "data" / "raw", "observer").table) == 20
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["raw"]


def test_a_corrupt_archive_leaves_nothing(repository, tmp_path, archive):
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"FLIC.zip: has [\d,]+ bytes, not [\d,]+, so it is not FLIC.zip"):
        download(profile(repository, "flic", archive=str(archive)), tmp_path / "data" / "raw")
    assert list((tmp_path / "data").iterdir()) == []


def test_coco_images_are_copied_with_their_json(repository, tmp_path):
    (tmp_path / "own").mkdir()
    cv2.imwrite(str(tmp_path / "own" / "a.png"), np.zeros((8, 8, 3), np.uint8))
    dataset = {
        "images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 8}],
        "categories": [{"id": 1, "name": "person", "keypoints": ["nose"]}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": [4, 4, 2]}],
    }
    (tmp_path / "people.json").write_text(json.dumps(dataset))
    source = {"annotations": {"train": [str(tmp_path / "people.json")]}, "images": [str(tmp_path / "own")]}
    download(profile(repository, "coco", **source), tmp_path / "data" / "raw")
    copied = tmp_path / "data" / "raw" / "0-people"
    assert sorted(path.relative_to(copied).as_posix() for path in copied.rglob("*.*")) == [
        "annotations.json",
        "images/a.png",
    ]
