"""Validation of FLIC's real training rows against known facts about them."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import BOX_COLUMNS, cast_columns, joints_of, with_joints
from splitpose.skeleton import INDEX
from splitpose.validation import ValidationResult, validate
from splitpose.validation.expectation_suites import QUARANTINE, WARNINGS
from splitpose.validation.row_metrics import add_row_metrics

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def table(shared: Path) -> pd.DataFrame:
    """FLIC's 3,987 training rows, observer-centric; the film is the image name without the frame number."""
    rows = pd.read_csv(shared / "flic/annotations_train.csv")
    films = rows["image"].str.replace(r"-\d+\.jpg$", "", regex=True)
    empty = dict.fromkeys(BOX_COLUMNS, np.nan)
    images = "raw/FLIC/images/" + rows["image"]
    return cast_columns(rows.assign(image=images, width=720, height=480, split="train", group=films, **empty))


@pytest.fixture(scope="module")
def result(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> ValidationResult:
    """The validation result with one uniform image of FLIC's size in place of every image."""
    root = tmp_path_factory.mktemp("data")
    cv2.imwrite(str(root / "uniform.jpg"), np.full((480, 720), 200, np.uint8))
    (root / "raw/FLIC/images").mkdir(parents=True)
    for image in table["image"].unique():
        (root / image).hardlink_to(root / "uniform.jpg")
    return validate(table, root, require_splits=False)


def test_six_rows_with_a_joint_outside_the_image_are_quarantined(result: ValidationResult) -> None:
    outside = {
        "train-0576": "13.41",
        "train-0957": "7.55",
        "train-1428": "2.23",
        "train-1429": "7.14",
        "train-3213": "22.81",
        "train-3331": "19.14",
    }
    quarantine = result.quarantine
    assert set(quarantine["rule"]) == {"joint_outside_image"}
    assert dict(zip(quarantine["id"], quarantine["value"], strict=True)) == outside
    expected = {rule.name: 6 * (rule.name == "joint_outside_image") for rule in QUARANTINE.rules}
    assert result.summary["quarantined"] == expected
    assert result.summary["rows"]["train"] == 3987 - 6
    assert result.summary["passed"]


def test_people_annotated_twice_are_listed_as_warnings(table: pd.DataFrame, result: ValidationResult) -> None:
    # FLIC has 393 pairs: 82 in test, 309 here and 2 across the splits, in the two images that are in both.
    expected = {rule.name: 609 * (rule.name == "annotated_twice") for rule in WARNINGS.rules}
    assert result.summary["warnings"] == expected
    assert result.warnings["image"].nunique() == 303
    instances = table["image"].value_counts()
    assert instances.value_counts().to_dict() == {1: 3285, 2: 327, 3: 16}
    twice = table[table["id"].isin(result.warnings["id"])]
    joints = joints_of(twice)
    is_near = [
        np.linalg.norm(joints[i] - joints[k], axis=1).mean() < 0.3 * np.linalg.norm(joints[i, 0] - joints[i, 7])
        for rows in twice.groupby("image").indices.values()
        for n, i in enumerate(rows)
        for k in rows[n + 1 :]
    ]
    assert sum(is_near) == 309


def test_numbers_of_films_and_images(table: pd.DataFrame, result: ValidationResult) -> None:
    assert result.summary["groups"]["train"] == 30
    assert result.summary["sources"] == {"raw": 3987}
    assert len(result.image_scan) == table["image"].nunique() == 3628


def row_metrics(table: pd.DataFrame, joints: np.ndarray) -> pd.DataFrame:
    keys = table[["image", "width", "height"]].drop_duplicates()
    image_scan = keys.assign(image_error=None, image_warning=None, image_size="720x480", perceptual_hash=None)
    return add_row_metrics(with_joints(table, joints)[table.columns], image_scan)


def test_extremes_are_those_in_the_comments_on_the_limits(table: pd.DataFrame) -> None:
    result = row_metrics(table, joints_of(table))
    assert result["torso_diameter"].min() == pytest.approx(69.3, abs=0.05)
    assert result["longest_limb"].max() == pytest.approx(1.149, abs=5e-4)
    assert result["crossing"].max() == pytest.approx(-0.111, abs=5e-4)
    assert result["asymmetry"].max() == pytest.approx(2.57, abs=5e-3)
    # One person annotated twice is clearly separated from two people: there is nothing between 0.25 and 0.5.
    assert not result["nearest_instance"].between(0.25, 0.5).any()


@pytest.mark.parametrize("pair", [("lhip", "rhip"), ("lelb", "relb"), ("lsho", "rsho")])
def test_a_swapped_pair_is_detected_in_every_row(table: pd.DataFrame, pair: tuple[str, str]) -> None:
    left, right = (INDEX[joint] for joint in pair)
    joints = joints_of(table)
    joints[:, [left, right]] = joints[:, [right, left]]
    assert (row_metrics(table, joints)["crossing"] > 0.1).all()
