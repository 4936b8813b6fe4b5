import json
import shutil
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from splitpose.data import incoming
from splitpose.errors import InputError
from splitpose.settings import Incoming

NAMES = ["left_shoulder", "right_shoulder"]


def settings(**changes):
    options = {"group": "image", "test_fraction": 0.2, "validation_fraction": 0.15} | changes
    return Incoming(min_joints=1, min_side=1.0, **options)


def deliver(folder: Path, names: list[str], **keys: object) -> None:
    """Write people.json with a person in each of the named images, which all have these keys."""
    folder.mkdir(parents=True, exist_ok=True)
    size = {"width": 64, "height": 48}
    person = {"category_id": 1, "keypoints": [3, 8, 2, 9, 8, 2], "bbox": [1, 2, 30, 40]}
    content = {
        "images": [{"id": k, "file_name": name} | size | keys for k, name in enumerate(names)],
        "categories": [{"id": 1, "name": "person", "keypoints": NAMES}],
        "annotations": [{"id": k, "image_id": k} | person for k in range(len(names))],
    }
    (folder / "people.json").write_text(json.dumps(content))


def read(data: Path, viewpoint="person", seed=0, **changes) -> pd.DataFrame:
    results = incoming.read(data / "incoming", data, settings(**changes), viewpoint, seed)
    return pd.concat([result.table for result in results], ignore_index=True)


def test_groups_are_divided_into_all_splits(tmp_path):
    deliver(tmp_path / "incoming" / "monday", ["a.png", "b.png", "c.png", "d.png", "e.png"])
    rows = read(tmp_path, test_fraction=0.3, validation_fraction=0.4)
    assert rows["group"].tolist() == [f"incoming/{name}.png" for name in "abcde"]
    # Split numbers of seed 0: 0.83, 0.63, 0.62, 0.27, 0.53; val ends at 0.3 + 0.7 * 0.4 = 0.58.
    assert rows["split"].tolist() == ["train", "train", "train", "test", "val"]
    assert read(tmp_path, test_fraction=0.0, validation_fraction=0.0)["split"].unique().tolist() == ["train"]


def test_a_group_can_be_a_folder_or_a_key(tmp_path):
    deliver(tmp_path / "incoming" / "monday", ["hall/a.png", "hall/b.png"], session=7)
    assert read(tmp_path, group="folder")["group"].tolist() == ["incoming/hall"] * 2
    assert read(tmp_path, group="session")["group"].tolist() == ["incoming/7"] * 2


def test_an_image_without_the_key_is_named(tmp_path):
    deliver(tmp_path / "incoming" / "monday", ["a.png"])
    with pytest.raises(InputError, match=r"people.json: images\[0\].session: .*; incoming.group requires one"):
        read(tmp_path, group="session")


def test_sides_are_those_of_the_source(tmp_path):
    deliver(tmp_path / "incoming", ["a.png"])  # the person is seen from behind
    assert read(tmp_path)[["lsho_x", "rsho_x"]].values.tolist() == [[3, 9]]
    assert read(tmp_path, viewpoint="observer")[["lsho_x", "rsho_x"]].values.tolist() == [[9, 3]]


def test_the_archive_of_a_tool_can_be_delivered(tmp_path):
    deliver(tmp_path / "incoming/monday/annotations", ["day 1\\a.png", "b.png"])
    for name in ("monday/images/default/day 1/A.PNG", "tuesday/b.png"):
        (tmp_path / "incoming" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "incoming" / name).touch()
    # The second image is not searched in another delivery.
    assert read(tmp_path)["image"].tolist() == [
        "incoming/monday/images/default/day 1/A.PNG",
        "incoming/monday/annotations/b.png",
    ]


def test_an_empty_folder_has_no_people(tmp_path):
    assert incoming.read(tmp_path / "incoming", tmp_path, settings(), "person", 0) == []


file_names = st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=12, unique=True)


@limits(max_examples=30)  # each example writes and reads up to four JSONs several times
@given(st.lists(file_names, min_size=2, max_size=4), st.integers(0, 1000))
def test_other_deliveries_and_the_folder_of_a_delivery_do_not_matter(deliveries, seed):
    """Deliver images, the same ones in part, in several folders: a group's split is that of its first delivery."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        splits: dict[str, str] = {}
        for number, names in enumerate(deliveries):
            deliver(data / "incoming" / f"delivery-{number}", names)
            rows = read(data, seed=seed, test_fraction=0.4, validation_fraction=0.4)
            drawn = dict(zip(rows["group"], rows["split"], strict=True))
            assert splits.items() <= drawn.items()
            assert rows.groupby("group")["split"].nunique().max() == 1
            splits = drawn
        shutil.rmtree(data / "incoming" / "delivery-0")
        rows = read(data, seed=seed, test_fraction=0.4, validation_fraction=0.4)
        assert dict(zip(rows["group"], rows["split"], strict=True)).items() <= splits.items()


def test_missing_people_are_counted_by_json():
    ids = ["incoming/b/people-1", "incoming/a-z/people-1", "incoming/a-z/people-2", "raw/0-a/annotations-9"]
    previous = pd.DataFrame({"id": ids})
    assert incoming.missing_people(previous, previous) == {}
    assert incoming.missing_people(previous, previous[:0]) == {
        "incoming/a-z/people.json": 2,
        "incoming/b/people.json": 1,
    }
    # New people do not make up for missing ones, and those of the source are not incoming.
    new = pd.DataFrame({"id": [*ids[:2], "incoming/c/people-1", "incoming/c/people-2"]})
    assert incoming.missing_people(previous, new) == {"incoming/a-z/people.json": 1}
    # A corrected person is not missing, unless the corrected row is.
    assert incoming.missing_people(previous, new, {"incoming/a-z/people-2": "incoming/c/people-1"}) == {}
    assert incoming.missing_people(previous, new, {"incoming/a-z/people-2": "incoming/c/people-9"}) != {}


@pytest.mark.parametrize(("value", "allowed"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_fewer_people_are_accepted_by_an_environment_variable(monkeypatch, value, allowed):
    monkeypatch.delenv(incoming.ALLOW_FEWER, raising=False)
    if value is not None:
        monkeypatch.setenv(incoming.ALLOW_FEWER, value)
    assert incoming.fewer_allowed() is allowed
