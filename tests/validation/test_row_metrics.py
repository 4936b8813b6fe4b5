import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import BOX_COLUMNS, JOINT_COLUMNS
from splitpose.validation.row_metrics import add_row_metrics


def make_table(count: int, **columns: object) -> pd.DataFrame:
    """Return rows without joints and boxes, each in an image of 100 x 80 px, except for the given columns."""
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


def row_metrics(table: pd.DataFrame, perceptual_hash: str | None = None) -> pd.DataFrame:
    keys = table[["image", "width", "height"]].drop_duplicates()
    return add_row_metrics(
        table,
        keys.assign(image_error=None, image_warning=None, image_size="100x80", perceptual_hash=perceptual_hash),
    )


def test_an_instance_without_annotations_has_empty_metrics() -> None:
    row = row_metrics(make_table(1)).iloc[0]
    assert row["annotated_joints"] == 0
    assert row["incomplete_joints"] == 0
    assert row["distance_outside"] == 0
    metrics = [
        "torso_diameter",
        "longest_limb",
        "crossing",
        "asymmetry",
        "bbox_side",
        "duplicate_of",
        "nearest_instance",
        "near_duplicate_of",
    ]
    assert row[metrics].isna().all()
    assert row["annotated_size"] == "100x80"


def test_torso_limbs_and_counts() -> None:
    # Left shoulder to right hip is a 3-4-5 triangle of 50 px, the upper arm 25 px; the right eye has no y.
    table = make_table(1, lsho_x=60.0, lsho_y=10.0, rhip_x=30.0, rhip_y=50.0, lelb_x=60.0, lelb_y=35.0, reye_x=1.0)
    row = row_metrics(table).iloc[0]
    assert row["torso_diameter"] == 50
    assert row["longest_limb"] == 0.5
    assert (row["annotated_joints"], row["incomplete_joints"]) == (3, 1)


def test_each_row_has_the_scan_for_its_own_size() -> None:
    table = make_table(3, image="a.jpg", width=[100, 100, 80], height=[80, 80, 100])
    image_scan = pd.DataFrame(
        {
            "image": "a.jpg",
            "width": [80, 100],
            "height": [100, 80],
            "image_error": ["damaged", None],
            "image_warning": None,
            "image_size": [None, "100x80"],
            "perceptual_hash": None,
        }
    )
    result = add_row_metrics(table, image_scan)
    assert result["image_error"].tolist()[2] == "damaged"
    assert result["image_size"].tolist()[:2] == ["100x80"] * 2
    assert result["annotated_size"].tolist() == ["100x80", "100x80", "80x100"]


def test_crossing_and_asymmetry_of_a_known_pose() -> None:
    # The shoulders are 30 px apart and each hip is 40 px below its shoulder: the torso is the hypotenuse, 50 px,
    # of a 3-4-5 triangle. The elbows are 16 px below the left and 40 px below the right shoulder.
    table = make_table(
        4,
        **{"lsho_x": 60.0, "lsho_y": 10.0, "lhip_x": 60.0, "lhip_y": 50.0, "lelb_x": 60.0, "lelb_y": 26.0},
        **{"rsho_x": 30.0, "rsho_y": 10.0, "rhip_x": 30.0, "rhip_y": 50.0, "relb_x": 30.0, "relb_y": 50.0},
    )
    table.loc[1, ["lhip_x", "rhip_x"]] = [30, 60]  # the torso is now 40 px
    table.loc[2, ["lelb_x", "lelb_y", "relb_x", "relb_y"]] = [30, 50, 60, 26]
    table.loc[3, ["lelb_x", "lelb_y"]] = [60, 10]
    diagonal = 50 - 40  # by how much a side of the body is longer when swapped
    arms = np.hypot(30, 16) + 50 - 16 - 40
    result = row_metrics(table)
    expected = [-2 * diagonal / 50, 2 * diagonal / 40, arms / 50, max(-20, 40 - 30 - 50) / 50]
    np.testing.assert_allclose(result["crossing"], expected)
    np.testing.assert_allclose(result["asymmetry"], [2.5, 2.5, 50 / np.hypot(30, 16), np.inf])


def test_a_torso_of_0_px_has_no_limb_ratio() -> None:
    same = make_table(1, lsho_x=9.0, lsho_y=9.0, rhip_x=9.0, rhip_y=9.0, lelb_x=9.0, lelb_y=50.0)
    assert row_metrics(same)["torso_diameter"][0] == 0
    assert np.isnan(row_metrics(same)["longest_limb"][0])


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [(0, 0, 0), (99, 79, 0), (-0.5, 40, 0.5), (50, -3, 3), (101, 79.5, 2), (99, 89, 10), (np.inf, 5, np.inf)],
)
def test_distance_outside_is_from_the_centres_of_the_border_pixels(x: float, y: float, expected: float) -> None:
    assert row_metrics(make_table(1, nose_x=x, nose_y=y))["distance_outside"][0] == expected


@pytest.mark.parametrize(
    ("box", "side"),
    [((10, 20, 40, 70), 30), ((40, 20, 10, 70), -30), ((10, 20, 10, 70), np.nan), ((10, 20, np.nan, 70), 0)],
)
def test_bbox_side(box: tuple[float, ...], side: float) -> None:
    metrics = row_metrics(make_table(1, **dict(zip(BOX_COLUMNS, box, strict=True))))
    np.testing.assert_equal(metrics["bbox_side"][0], side)


def test_of_duplicates_the_test_row_is_kept() -> None:
    splits = ["train", "val", "test", "test", "train", "train"]
    images = ["a", "a", "a", "a", "b", "a"]
    table = make_table(6, split=splits, image=images, nose_x=[5.0] * 5 + [6.0])
    assert row_metrics(table)["duplicate_of"].tolist() == ["p2", "p2", None, "p2", None, None]
    assert row_metrics(table)["splits_of_image"].tolist() == [3, 3, 3, 3, 1, 3]


def test_nearest_instance_is_the_mean_over_common_joints() -> None:
    # The torso of p0 and p1 is 20 px. They differ by 10 px at both ends of the torso, 4 px at the nose and the left
    # eye and 7 px at the right eye: 7 px on average. p2 has only four common joints; p3 is in another image.
    table = make_table(4, image=["a", "a", "a", "b"])
    joints = ["lsho", "rhip", "nose", "leye", "reye"]
    columns = [f"{joint}_{axis}" for joint in joints for axis in "xy"]
    table.loc[0, columns] = [10, 10, 10, 30, 5, 5, 5, 5, 5, 5]
    table.loc[1, columns] = [20, 10, 20, 30, 9, 5, 9, 5, 12, 5]
    table.loc[1, ["lwri_x", "lwri_y"]] = 50
    table.loc[2, columns] = [10, 10, 10, 30, 5, 5, 5, 5, np.nan, np.nan]
    table.loc[3, columns] = table.loc[0, columns]
    np.testing.assert_allclose(row_metrics(table)["nearest_instance"], [0.35, 0.35, np.nan, np.nan])


def test_leakage_is_reported_for_the_scored_row() -> None:
    images = ["raw/film-10.jpg", "raw/film-17.jpg", "incoming/film-10.jpg"]
    table = make_table(3, image=images, split=["train", "test", "train"], group=["film", "film", "film-10.jpg"])
    result = row_metrics(table, perceptual_hash="0" * 64)
    np.testing.assert_array_equal(result["frame_distance"], [np.nan, 7, np.nan])
    assert result["near_duplicate_of"].tolist() == [None, "incoming/film-10.jpg", None]
    assert result["source"].tolist() == ["raw", "raw", "incoming"]
