"""Corrected people replace the earlier rows of the same person and image content."""

import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import BOX_COLUMNS, cast_columns, joints_of, with_joints
from splitpose.data.replacements import replace_people
from splitpose.skeleton import FLIP_INDICES, INDEX, JOINTS

# A person whose torso diameter (left shoulder to right hip) is 100 px: (80, 0) to (20, 80).
LEFT, RIGHT = [[80, 0], [90, 40], [90, 80]], [[20, 0], [10, 40], [10, 80]]
POSE = np.array([*LEFT, *RIGHT, [80, 80], [20, 80], [55, -30], [45, -30], [50, -20]])


@pytest.fixture
def root(tmp_path):
    for name in ("raw/a.png", "raw/b.png", "monday/x.png", "tuesday/y.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("B" if name == "raw/b.png" else "A")
    return tmp_path


def rows(image: str, *people: tuple[str, np.ndarray], split: str = "train", group: str = "g") -> pd.DataFrame:
    """Return a table with a row for each (id, joints)."""
    table = pd.DataFrame({"id": [id for id, _ in people], "image": image, "width": 640, "height": 480})
    table = table.assign(split=split, group=group, **dict.fromkeys(BOX_COLUMNS, np.nan))
    return cast_columns(with_joints(table, np.array([joints for _, joints in people], float)))


def at(x: float) -> np.ndarray:
    return POSE + [x, 100.0]


def test_a_corrected_person_replaces_the_earlier_row_and_keeps_split_and_group(root):
    corrected = at(0)
    corrected[[INDEX["lwri"], INDEX["rwri"]]] += 100  # mean distance 2 x 1.41 / 11 = 0.26 torso diameters
    first = rows("raw/a.png", ("raw-1", at(0)), ("raw-2", at(300)), split="test", group="film")
    other = rows("raw/b.png", ("raw-3", at(0)))
    later = rows("monday/x.png", ("new-2", corrected), group="incoming/x.png")
    result = replace_people([pd.concat([first, other]), later], root)
    assert result.table["id"].tolist() == ["raw-2", "raw-3", "new-2"]
    assert result.table["replaces"].tolist() == ["", "", "raw-1"]
    assert result.table["split"].tolist() == ["test", "train", "test"]
    assert result.table["group"].tolist() == ["film", "g", "film"]
    assert result.table["image"].tolist() == ["raw/a.png", "raw/b.png", "monday/x.png"]
    assert (result.replaced, result.count) == ({"raw-1": "new-2"}, 1)
    np.testing.assert_array_equal(joints_of(result.table)[2], corrected)


def test_an_added_person_has_the_split_of_the_image(root):
    tables = [rows("raw/a.png", ("1", at(0)), split="val"), rows("monday/x.png", ("2", at(0)), ("3", at(200)))]
    result = replace_people(tables, root)
    assert result.table[["id", "split", "replaces"]].values.tolist() == [["2", "val", "1"], ["3", "val", ""]]


def test_splits_of_the_earliest_source_are_kept(root):
    people = ("1", at(0)), ("2", at(300))
    earlier = rows("raw/a.png", *people).assign(split=["train", "test"])
    later = rows("monday/x.png", ("3", at(300)), ("4", at(150)))
    result = replace_people([earlier, later], root)
    assert result.table[["id", "split"]].values.tolist() == [["1", "train"], ["3", "test"], ["4", "train"]]


def test_the_closest_people_are_matched_each_once(root):
    earlier = rows("raw/a.png", ("1", at(0)), ("2", at(40)))
    later = rows("monday/x.png", ("3", at(30)), ("4", at(45)), ("5", at(38)))
    result = replace_people([earlier, later], root)
    # 38 is closest to 40; then 30 to 0 (0.3), because 45 is 0.45 from it.
    assert result.table[["id", "replaces"]].values.tolist() == [["3", "1"], ["4", ""], ["5", "2"]]


@pytest.mark.parametrize(("distance", "is_same"), [(59, True), (61, False)])
def test_people_who_are_further_apart_are_different(root, distance, is_same):
    result = replace_people([rows("raw/a.png", ("1", at(0))), rows("monday/x.png", ("2", at(distance)))], root)
    assert result.count == is_same


def test_swapped_sides_are_a_correction(root):
    earlier = rows("raw/a.png", ("1", at(0)[FLIP_INDICES]))
    assert replace_people([earlier, rows("monday/x.png", ("2", at(0)))], root).replaced == {"1": "2"}


def test_boxes_are_compared_if_few_joints_are_common(root):
    few = np.full((len(JOINTS), 2), np.nan)
    few[:2] = [[80, 100], [90, 140]]
    for box, count in {(0, 0, 100, 100): 1, (0, 0, 100, 49): 0, (np.nan,) * 4: 0}.items():
        earlier = rows("raw/a.png", ("1", few)).assign(**dict(zip(BOX_COLUMNS, (0, 0, 100, 100), strict=True)))
        later = rows("monday/x.png", ("2", few)).assign(**dict(zip(BOX_COLUMNS, box, strict=True)))
        assert replace_people([earlier, later], root).count == count


def test_a_correction_is_corrected_again(root):
    tables = [rows(f"{place}.png", (place, at(x))) for x, place in enumerate(["raw/a", "monday/x", "tuesday/y"])]
    result = replace_people(tables, root)
    assert result.table[["id", "replaces"]].values.tolist() == [["tuesday/y", "monday/x"]]
    assert result.replaced == {"raw/a": "tuesday/y", "monday/x": "tuesday/y"}


def test_people_of_one_source_never_replace_each_other(root):
    result = replace_people(
        [pd.concat([rows("raw/a.png", ("1", at(0))), rows("monday/x.png", ("2", at(0)))])], root
    )
    assert (result.count, result.table["replaces"].tolist()) == (0, ["", ""])


def test_images_that_are_missing_or_outside_are_different(root):
    outside = root / "raw/a.png"
    for image in ("monday/gone.png", str(outside), "monday/../raw/a.png"):
        assert replace_people([rows("raw/a.png", ("1", at(0))), rows(image, ("2", at(0)))], root).count == 0


def test_only_files_of_the_same_size_are_read(root):
    (root / "raw/a.png").write_bytes(b"longer")
    (root / "monday/x.png").chmod(0)
    tables = [rows("raw/a.png", ("1", at(0))), rows("monday/x.png", ("2", at(0)))]
    assert replace_people(tables, root).count == 0
