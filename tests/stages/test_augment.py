import shutil
from collections import namedtuple

import cv2
import numpy as np
import pandas as pd
import pytest

from splitpose import annotations
from splitpose.annotations import JOINT_COLUMNS
from splitpose.crops import tfrecords
from splitpose.data.training_groups_files import read_crop_groups
from splitpose.errors import InputError
from splitpose.settings import Profile, load
from splitpose.stages.augment import augment

pytestmark = pytest.mark.integration


@pytest.fixture
def source(tmp_path):
    """A data root with three instances in three splits, one per image."""
    joints = np.random.default_rng(0).uniform(20, 60, (3, 22))
    table = pd.DataFrame(joints, columns=JOINT_COLUMNS)
    table = table.assign(id=list("abc"), image=["a.png", "b.png", "c.png"], width=80, height=80)
    table = table.assign(split=["train", "val", "test"], group=list("abc"))
    table = table.assign(box_x0=np.nan, box_y0=np.nan, box_x1=np.nan, box_y1=np.nan)
    annotations.write(table, tmp_path / "table.parquet")
    for name in table["image"]:
        cv2.imwrite(str(tmp_path / name), np.random.default_rng(1).integers(0, 256, (80, 80, 3), np.uint8))
    return tmp_path


@pytest.fixture
def profile(repository):
    return load(Profile, repository / "profiles" / "sample.yaml")


def shard_times(source):
    """Return when each shard was written."""
    return {path.name: path.stat().st_mtime_ns for path in (source / "crops").glob("*.tfrecord")}


def test_training_instances_are_augmented_copies(source, profile):
    augment(profile, source, source / "table.parquet", source / "crops", source / "sheets")
    ids = {s: [c.id for c in tfrecords.read(source / "crops", s)] for s in ("train", "val", "test")}
    assert ids == {"train": ["a"] * profile.crops.copies_per_instance, "val": ["b"], "test": ["c"]}


def test_a_second_run_writes_nothing_and_a_new_seed_everything(source, profile, caplog):
    arguments = (source, source / "table.parquet", source / "crops", source / "sheets")
    augment(profile, *arguments)
    before = shard_times(source)
    caplog.set_level("INFO", "splitpose")
    augment(profile, *arguments)
    assert shard_times(source) == before
    assert "train: 8 crops of 1 instances (0 new, 8 unchanged)" in caplog.messages
    augment(profile.model_copy(update={"crops": profile.crops.model_copy(update={"seed": 1})}), *arguments)
    after = shard_times(source).keys()
    assert len(after) == 3 and not after & before.keys()


def test_the_groups_of_the_crops_are_recorded(source, profile):
    augment(profile, source, source / "table.parquet", source / "crops", source / "sheets")
    groups = read_crop_groups(source / "crops")
    assert groups.contains(annotations.read(source / "table.parquet")).tolist() == [True, True, False]


def test_each_split_has_a_sheet_of_crops(source, profile):
    augment(profile, source, source / "table.parquet", source / "crops", source / "sheets")
    sheets = {path.stem: cv2.imread(str(path)) for path in (source / "sheets").iterdir()}
    assert set(sheets) == {"train", "val", "test"}
    assert sheets["train"].shape[1] > 3 * 160  # copies side by side
    assert all(sheet.std() > 10 for sheet in sheets.values())


def test_an_unreadable_image_is_named_and_only_complete_files_are_left(source, profile):
    (source / "b.png").write_bytes(b"not an image")
    with pytest.raises(InputError, match=r"b.png: not a readable image, damaged or truncated"):
        augment(profile, source, source / "table.parquet", source / "crops", source / "sheets")
    assert [path.name.split("-")[0] for path in (source / "crops").iterdir()] == ["train"]
    assert not (source / "sheets").exists()


def test_a_full_disk_is_reported_before_anything_is_written(source, profile, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 1000))
    with pytest.raises(InputError, match=r"crops: extracting the crops requires [\d,]+ bytes and 1,000 are free"):
        augment(profile, source, source / "table.parquet", source / "crops", source / "sheets")
    assert not list((source / "crops").iterdir())
