"""Shards are named after all that their bytes come from, so what is there already is kept."""

import cv2
import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import BOX_COLUMNS, JOINT_COLUMNS
from splitpose.crops import shards
from splitpose.errors import InputError


def people(source, count, split="train"):
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
            picture = np.random.default_rng(k).integers(0, 256, (60, 60, 3), np.uint8)
            cv2.imwrite(str(tmp_path / source / f"{k}.png"), picture)
    return tmp_path


@pytest.fixture
def settings(profile):
    return profile.crops.model_copy(update={"size": 32, "copies_per_instance": 2, "instances_per_shard": 4})


def names(table, data, settings):
    return [shard.name for shard in shards.plan(table, data, settings)]


def test_a_split_is_cut_into_shards_of_so_many_people(data, settings):
    table = pd.concat([people("raw", 9), people("raw", 2, "val"), people("raw", 1, "test")])
    planned = shards.plan(table, data, settings)
    assert [(shard.split, len(shard.rows), shard.crop_count(settings)) for shard in planned] == [
        ("train", 4, 8), ("train", 4, 8), ("train", 1, 2), ("val", 2, 2), ("test", 1, 1),
    ]  # fmt: skip
    assert [shard.name[:17] for shard in planned[:3]] == [f"train-base-0000{k}-" for k in range(3)]


def test_more_people_leave_older_shards_alone(data, settings):
    before = names(people("raw", 9), data, settings)
    monday = names(pd.concat([people("raw", 9), people("incoming/monday", 5)]), data, settings)
    assert set(before) < set(monday)
    assert len(monday) == len(before) + 2
    assert sorted(monday)[:3] == before  # the base source first


def test_a_grown_folder_has_the_same_bytes_as_one_from_scratch(data, settings):
    def run(table, folder):
        folder.mkdir(exist_ok=True)
        planned = shards.plan(table, data, settings)
        missing = [shard for shard in planned if not (folder / shard.name).is_file()]
        shards.write(missing, data, settings, folder)
        shards.prune(planned, folder)
        return sum(shard.crop_count(settings) for shard in missing)

    base, monday = people("raw", 9), people("incoming/monday", 5)
    grown, scratch = data / "grown", data / "scratch"
    assert run(pd.concat([base, monday.iloc[:3]]), grown) == 24
    assert run(pd.concat([base, monday]), grown) == 10  # the shard that monday had begun, and one more
    assert run(pd.concat([base, monday]), scratch) == 28
    assert {p.name: p.read_bytes() for p in grown.iterdir()} == {p.name: p.read_bytes() for p in scratch.iterdir()}


@pytest.mark.parametrize(
    "change",
    [
        lambda table, data, settings: table.update(table[["nose_x"]] + 1),
        lambda table, data, settings: table.update(pd.DataFrame({"id": ["other"]})),
        lambda table, data, settings: (data / "raw" / "0.png").write_bytes((data / "raw" / "1.png").read_bytes()),
    ],
    ids=["a joint", "an id", "a picture"],
)
def test_what_changes_the_bytes_changes_the_name(data, settings, change):
    table = people("raw", 4)
    before = names(table, data, settings)
    change(table, data, settings)
    assert names(table, data, settings) != before


def test_settings_change_the_name_and_the_film_does_not(data, settings):
    table = people("raw", 4)
    before = names(table, data, settings)
    assert names(table, data, settings.model_copy(update={"rotation": 1.0})) != before
    assert names(table.assign(group="other"), data, settings) == before


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(data, settings, monkeypatch):
    planned = shards.plan(people("raw", 9), data, settings)
    whole, broken = data / "whole", data / "broken"
    whole.mkdir()
    broken.mkdir()
    shards.write(planned, data, settings, whole)
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
        shards.write(planned, data, settings, broken)
    monkeypatch.undo()
    made = [path.name for path in broken.iterdir()]
    assert made == [planned[0].name]
    missing = [shard for shard in planned if shard.name not in made]
    shards.write(missing, data, settings, broken)
    assert {p.name: p.read_bytes() for p in whole.iterdir()} == {p.name: p.read_bytes() for p in broken.iterdir()}


def test_what_is_not_wanted_any_more_goes(data, settings):
    planned = shards.plan(people("raw", 4), data, settings)
    folder = data / "crops"
    folder.mkdir()
    for name in (planned[0].name, "train-base-00000-0123456789abcdef.tfrecord", ".part-x", "notes.txt"):
        (folder / name).touch()
    shards.prune(planned, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", planned[0].name]


def test_a_missing_picture_is_named(data, settings):
    (data / "raw" / "2.png").unlink()
    with pytest.raises(InputError, match=r"raw/2.png: no such picture"):
        shards.plan(people("raw", 4), data, settings)
