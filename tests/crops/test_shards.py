"""The names of shards identify their content, so that existing files are kept."""

import cv2
import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import BOX_COLUMNS, JOINT_COLUMNS
from splitpose.crops import shards
from splitpose.errors import InputError


def table_of(source, count, split="train"):
    rows = pd.DataFrame(np.random.default_rng(count).uniform(10, 50, (count, 22)), columns=JOINT_COLUMNS)
    rows[BOX_COLUMNS] = np.nan
    ids = [f"{source}-{split}-{k}" for k in range(count)]
    images = [f"{source}/{k % 3}.png" for k in range(count)]
    return rows.assign(id=ids, image=images, width=60, height=60, split=split, group="g")


@pytest.fixture
def data(tmp_path):
    for source in ("raw", "incoming/monday"):
        (tmp_path / source).mkdir(parents=True)
        for k in range(3):
            image = np.random.default_rng(k).integers(0, 256, (60, 60, 3), np.uint8)
            cv2.imwrite(str(tmp_path / source / f"{k}.png"), image)
    return tmp_path


@pytest.fixture
def settings(profile):
    return profile.crops.model_copy(update={"size": 32, "copies_per_instance": 2, "instances_per_shard": 4})


def names(table, data, settings):
    return [shard.name for shard in shards.plan(table, data, settings)]


def test_splits_are_divided_into_shards(data, settings):
    table = pd.concat([table_of("raw", 9), table_of("raw", 2, "val"), table_of("raw", 1, "test")])
    planned = shards.plan(table, data, settings)
    assert [(shard.split, len(shard.rows), shard.crop_count(settings)) for shard in planned] == [
        ("train", 4, 8), ("train", 4, 8), ("train", 1, 2), ("val", 2, 2), ("test", 1, 1),
    ]  # fmt: skip
    assert [shard.name[:17] for shard in planned[:3]] == [f"train-base-0000{k}-" for k in range(3)]


def test_added_instances_leave_other_shards_unchanged(data, settings):
    before = names(table_of("raw", 9), data, settings)
    monday = names(pd.concat([table_of("raw", 9), table_of("incoming/monday", 5)]), data, settings)
    assert set(before) < set(monday)
    assert len(monday) == len(before) + 2
    assert sorted(monday)[:3] == before  # the base source first


def test_incremental_and_full_builds_are_identical(data, settings):
    def run(table, folder):
        folder.mkdir(exist_ok=True)
        planned = shards.plan(table, data, settings)
        missing = [shard for shard in planned if not (folder / shard.name).is_file()]
        shards.write(missing, data, settings, folder)
        shards.prune(planned, folder)
        return sum(shard.crop_count(settings) for shard in missing)

    base, monday = table_of("raw", 9), table_of("incoming/monday", 5)
    grown, scratch = data / "grown", data / "scratch"
    assert run(pd.concat([base, monday.iloc[:3]]), grown) == 24
    assert run(pd.concat([base, monday]), grown) == 10  # the incomplete shard of monday, and another one
    assert run(pd.concat([base, monday]), scratch) == 28
    assert {p.name: p.read_bytes() for p in grown.iterdir()} == {p.name: p.read_bytes() for p in scratch.iterdir()}


@pytest.mark.parametrize(
    "change",
    [
        lambda table, data, settings: table.update(table[["nose_x"]] + 1),
        lambda table, data, settings: table.update(pd.DataFrame({"id": ["other"]})),
        lambda table, data, settings: (data / "raw" / "0.png").write_bytes((data / "raw" / "1.png").read_bytes()),
    ],
    ids=["a joint", "an id", "an image"],
)
def test_changed_content_changes_the_name(data, settings, change):
    table = table_of("raw", 4)
    before = names(table, data, settings)
    change(table, data, settings)
    assert names(table, data, settings) != before


def test_settings_change_the_name_and_the_group_does_not(data, settings):
    table = table_of("raw", 4)
    before = names(table, data, settings)
    assert names(table, data, settings.model_copy(update={"rotation": 1.0})) != before
    assert names(table.assign(group="other"), data, settings) == before


def test_interrupted_build_is_continued_with_the_same_bytes(data, settings, monkeypatch):
    planned = shards.plan(table_of("raw", 9), data, settings)
    uninterrupted, interrupted = data / "uninterrupted", data / "interrupted"
    uninterrupted.mkdir()
    interrupted.mkdir()
    shards.write(planned, data, settings, uninterrupted)
    encode = shards.tfrecords.encode
    count = 0

    def fail_at_the_tenth(crop):
        nonlocal count
        count += 1
        if count == 10:
            raise KeyboardInterrupt
        return encode(crop)

    monkeypatch.setattr(shards.tfrecords, "encode", fail_at_the_tenth)
    with pytest.raises(KeyboardInterrupt):
        shards.write(planned, data, settings, interrupted)
    monkeypatch.undo()
    written = [path.name for path in interrupted.iterdir()]
    assert written == [planned[0].name]
    missing = [shard for shard in planned if shard.name not in written]
    shards.write(missing, data, settings, interrupted)
    assert {p.name: p.read_bytes() for p in uninterrupted.iterdir()} == {
        p.name: p.read_bytes() for p in interrupted.iterdir()
    }


def test_obsolete_files_are_deleted(data, settings):
    planned = shards.plan(table_of("raw", 4), data, settings)
    folder = data / "crops"
    folder.mkdir()
    for name in (planned[0].name, "train-base-00000-0123456789abcdef.tfrecord", ".part-x", "notes.txt"):
        (folder / name).touch()
    shards.prune(planned, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", planned[0].name]


def test_missing_image_is_reported(data, settings):
    (data / "raw" / "2.png").unlink()
    with pytest.raises(InputError, match=r"raw/2.png: no such image"):
        shards.plan(table_of("raw", 4), data, settings)
