from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import BOX_COLUMNS, JOINT_COLUMNS, joints_of
from splitpose.checks.measures import look_at_pictures, measure

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


def people(count: int, **columns: object) -> pd.DataFrame:
    """Rows without joints or boxes in a picture of 100 x 80 px each, but for what is given."""
    table = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(count)],
            "image": [f"{i}.png" for i in range(count)],
            "width": 100,
            "height": 80,
            "split": "train",
            "group": "film",
            **dict.fromkeys([*BOX_COLUMNS, *JOINT_COLUMNS], np.nan),
        }
    )
    return table.assign(**columns)


def measured(table: pd.DataFrame) -> pd.DataFrame:
    images = table["image"].unique()
    return measure(table, pd.DataFrame({"picture_problem": None, "picture_size": "100x80"}, index=images))


def test_look_at_pictures(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    (tmp_path / "a").mkdir()
    cv2.imwrite(str(tmp_path / "a/whole.jpg"), noise)
    whole = (tmp_path / "a/whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) * 9 // 10])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("<html>")
    images = [
        "a/whole.jpg",
        "a/whole.jpg",
        "cut.jpg",
        "empty.jpg",
        "text.jpg",
        "none.jpg",
        "../x.jpg",
        "/x.jpg",
    ]
    found = look_at_pictures(images, tmp_path)
    assert found["picture_size"].to_dict() == {**dict.fromkeys(images), "a/whole.jpg": "60x40"}
    no_picture = "no picture, damaged or cut short"
    leads_out = "path leads out of the folder of pictures"
    assert found["picture_problem"].to_dict() == {
        "a/whole.jpg": None,
        "cut.jpg": no_picture,
        "empty.jpg": no_picture,
        "text.jpg": no_picture,
        "none.jpg": "No such file or directory",
        "../x.jpg": leads_out,
        "/x.jpg": leads_out,
    }


def test_person_without_anything_has_empty_measures() -> None:
    row = measured(people(1)).iloc[0]
    assert row["joints_annotated"] == 0
    assert row["joints_half"] == 0
    assert row["outside"] == 0
    assert row[["torso", "longest_limb", "box_side", "copy_of", "nearest"]].isna().all()
    assert row["size"] == "100x80"


def test_torso_limb_and_counts() -> None:
    # Left shoulder to right hip is a 3-4-5 triangle of 50 px, the upper arm 25 px; the right eye has no y.
    table = people(1, lsho_x=60.0, lsho_y=10.0, rhip_x=30.0, rhip_y=50.0, lelb_x=60.0, lelb_y=35.0, reye_x=1.0)
    row = measured(table).iloc[0]
    assert row["torso"] == 50
    assert row["longest_limb"] == 0.5
    assert (row["joints_annotated"], row["joints_half"]) == (3, 1)


def test_limbs_of_a_torso_of_nothing_have_no_ratio() -> None:
    same = people(1, lsho_x=9.0, lsho_y=9.0, rhip_x=9.0, rhip_y=9.0, lelb_x=9.0, lelb_y=50.0)
    assert measured(same)["torso"][0] == 0
    assert np.isnan(measured(same)["longest_limb"][0])


@pytest.mark.parametrize(
    ("x", "y", "outside"),
    [(0, 0, 0), (99, 79, 0), (-0.5, 40, 0.5), (50, -3, 3), (101, 79.5, 2), (99, 89, 10), (np.inf, 5, np.inf)],
)
def test_outside_counts_from_the_centres_of_the_border_pixels(x: float, y: float, outside: float) -> None:
    assert measured(people(1, nose_x=x, nose_y=y))["outside"][0] == outside


@pytest.mark.parametrize(
    ("box", "side"),
    [((10, 20, 40, 70), 30), ((40, 20, 10, 70), -30), ((10, 20, 10, 70), 0), ((10, 20, np.nan, 70), 0)],
)
def test_box_side(box: tuple[float, ...], side: float) -> None:
    assert measured(people(1, **dict(zip(BOX_COLUMNS, box, strict=True))))["box_side"][0] == side


def test_of_equal_rows_the_one_in_test_stays() -> None:
    splits = ["train", "val", "test", "test", "train", "train"]
    images = ["a", "a", "a", "a", "b", "a"]
    table = people(6, split=splits, image=images, nose_x=[5.0] * 5 + [6.0])
    assert measured(table)["copy_of"].tolist() == ["p2", "p2", None, "p2", None, None]
    assert measured(table)["splits_of_picture"].tolist() == [3, 3, 3, 3, 1, 3]


def test_nearest_is_the_mean_over_joints_that_both_have() -> None:
    # Torso of p0 and p1: 20 px. Between them: 10 px at the torso's ends, 4 px at the nose: 8 px in the mean.
    # p2 shares no joint with them; p3 stands in another picture.
    table = people(4, image=["a", "a", "a", "b"])
    table.loc[0, ["lsho_x", "lsho_y", "rhip_x", "rhip_y", "nose_x", "nose_y"]] = [10, 10, 10, 30, 5, 5]
    table.loc[1, ["lsho_x", "lsho_y", "rhip_x", "rhip_y", "nose_x", "nose_y"]] = [20, 10, 20, 30, 9, 5]
    table.loc[1, ["leye_x", "leye_y"]] = 50
    table.loc[2, ["lwri_x", "lwri_y"]] = 10
    table.loc[3, ["lsho_x", "lsho_y", "rhip_x", "rhip_y"]] = [10, 10, 10, 30]
    np.testing.assert_allclose(measured(table)["nearest"], [0.4, 0.4, np.nan, np.nan])


def test_flic_training_rows() -> None:
    """facts.md: six training rows have a joint outside; the films' frames are 720 x 480 px."""
    path = SHARED / "flic/annotations_train.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    rows = pd.read_csv(path)
    table = people(len(rows)).assign(width=720, height=480, id=rows["id"], image=rows["image"])
    table[JOINT_COLUMNS] = joints_of(rows).reshape(len(rows), -1)
    result = measured(table)
    outside = result.loc[result["outside"] > 1, "id"].tolist()
    assert outside == ["train-0576", "train-0957", "train-1428", "train-1429", "train-3213", "train-3331"]
    assert (result["torso"] > 69).all()
    assert result["longest_limb"].max() < 1.2
    assert result["copy_of"].isna().all()
    # One person annotated twice and two people are clearly apart: nothing lies between 0.25 and 0.5.
    assert not result["nearest"].between(0.25, 0.5).any()
