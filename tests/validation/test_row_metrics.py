import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import BOX_COLUMNS, JOINT_COLUMNS
from splitpose.validation.row_metrics import measure


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


def measured(table: pd.DataFrame, fingerprint: str | None = None) -> pd.DataFrame:
    looked = table[["image", "width", "height"]].drop_duplicates()
    return measure(table, looked.assign(picture_problem=None, picture_size="100x80", fingerprint=fingerprint))


def test_person_without_anything_has_empty_measures() -> None:
    row = measured(people(1)).iloc[0]
    assert row["joints_annotated"] == 0
    assert row["joints_half"] == 0
    assert row["outside"] == 0
    measures = [
        "torso",
        "longest_limb",
        "crossed",
        "uneven",
        "box_side",
        "duplicate_of",
        "nearest",
        "near_duplicate_of",
    ]
    assert row[measures].isna().all()
    assert row["size"] == "100x80"


def test_torso_limb_and_counts() -> None:
    # Left shoulder to right hip is a 3-4-5 triangle of 50 px, the upper arm 25 px; the right eye has no y.
    table = people(1, lsho_x=60.0, lsho_y=10.0, rhip_x=30.0, rhip_y=50.0, lelb_x=60.0, lelb_y=35.0, reye_x=1.0)
    row = measured(table).iloc[0]
    assert row["torso"] == 50
    assert row["longest_limb"] == 0.5
    assert (row["joints_annotated"], row["joints_half"]) == (3, 1)


def test_each_row_has_what_was_seen_with_its_own_size() -> None:
    table = people(3, image="a.jpg", width=[100, 100, 80], height=[80, 80, 100])
    looked = pd.DataFrame(
        {
            "image": "a.jpg",
            "width": [80, 100],
            "height": [100, 80],
            "picture_problem": ["damaged", None],
            "picture_size": [None, "100x80"],
            "fingerprint": None,
        }
    )
    result = measure(table, looked)
    assert result["picture_problem"].tolist()[2] == "damaged"
    assert result["picture_size"].tolist()[:2] == ["100x80"] * 2
    assert result["size"].tolist() == ["100x80", "100x80", "80x100"]


def test_crossed_and_uneven_by_hand() -> None:
    # Shoulders 30 px apart, each hip 40 px below its own: the torso is a 3-4-5 triangle of 50 px. Elbows hang
    # 16 px below the left and 40 px below the right shoulder.
    table = people(
        4,
        **{"lsho_x": 60.0, "lsho_y": 10.0, "lhip_x": 60.0, "lhip_y": 50.0, "lelb_x": 60.0, "lelb_y": 26.0},
        **{"rsho_x": 30.0, "rsho_y": 10.0, "rhip_x": 30.0, "rhip_y": 50.0, "relb_x": 30.0, "relb_y": 50.0},
    )
    table.loc[1, ["lhip_x", "rhip_x"]] = [30, 60]  # the torso is 40 px then
    table.loc[2, ["lelb_x", "lelb_y", "relb_x", "relb_y"]] = [30, 50, 60, 26]
    table.loc[3, ["lelb_x", "lelb_y"]] = [60, 10]
    diagonal = 50 - 40  # a side of the body swapped is that much longer
    arms = np.hypot(30, 16) + 50 - 16 - 40
    result = measured(table)
    expected = [-2 * diagonal / 50, 2 * diagonal / 40, arms / 50, max(-20, 40 - 30 - 50) / 50]
    np.testing.assert_allclose(result["crossed"], expected)
    np.testing.assert_allclose(result["uneven"], [2.5, 2.5, 50 / np.hypot(30, 16), np.inf])


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
    assert measured(table)["duplicate_of"].tolist() == ["p2", "p2", None, "p2", None, None]
    assert measured(table)["splits_of_picture"].tolist() == [3, 3, 3, 3, 1, 3]


def test_nearest_is_the_mean_over_joints_that_both_have() -> None:
    # Torso of p0 and p1: 20 px. Between them: 10 px at the torso's ends, 4 px at the nose and the left eye, 7 px
    # at the right one: 7 px in the mean. p2 has only four joints of theirs; p3 stands in another picture.
    table = people(4, image=["a", "a", "a", "b"])
    joints = ["lsho", "rhip", "nose", "leye", "reye"]
    columns = [f"{joint}_{axis}" for joint in joints for axis in "xy"]
    table.loc[0, columns] = [10, 10, 10, 30, 5, 5, 5, 5, 5, 5]
    table.loc[1, columns] = [20, 10, 20, 30, 9, 5, 9, 5, 12, 5]
    table.loc[1, ["lwri_x", "lwri_y"]] = 50
    table.loc[2, columns] = [10, 10, 10, 30, 5, 5, 5, 5, np.nan, np.nan]
    table.loc[3, columns] = table.loc[0, columns]
    np.testing.assert_allclose(measured(table)["nearest"], [0.35, 0.35, np.nan, np.nan])


def test_leaks_stand_beside_the_scored_row() -> None:
    images = ["raw/film-10.jpg", "raw/film-17.jpg", "incoming/film-10.jpg"]
    table = people(3, image=images, split=["train", "test", "train"], group=["film", "film", "film-10.jpg"])
    result = measured(table, fingerprint="0" * 64)
    np.testing.assert_array_equal(result["frames_apart"], [np.nan, 7, np.nan])
    assert result["near_duplicate_of"].tolist() == [None, "incoming/film-10.jpg", None]
    assert result["source"].tolist() == ["raw", "raw", "incoming"]
