"""FLIC's real training rows against what is known of them."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from splitpose import validation
from splitpose.annotations import BOX_COLUMNS, joints_of, typed, with_joints
from splitpose.skeleton import INDEX
from splitpose.validation import ValidationResult
from splitpose.validation.expectation_suites import QUARANTINE, TOLD
from splitpose.validation.row_metrics import measure


@pytest.fixture(scope="module")
def table(shared: Path) -> pd.DataFrame:
    """Its 3,987 rows, observer-centric; the film is the picture's name without its frame."""
    rows = pd.read_csv(shared / "flic/annotations_train.csv")
    films = rows["image"].str.replace(r"-\d+\.jpg$", "", regex=True)
    empty = dict.fromkeys(BOX_COLUMNS, np.nan)
    images = "raw/FLIC/images/" + rows["image"]
    return typed(rows.assign(image=images, width=720, height=480, split="train", group=films, **empty))


@pytest.fixture(scope="module")
def verdict(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> ValidationResult:
    """One plain picture of FLIC's size stands for each."""
    root = tmp_path_factory.mktemp("data")
    cv2.imwrite(str(root / "plain.jpg"), np.full((480, 720), 200, np.uint8))
    (root / "raw/FLIC/images").mkdir(parents=True)
    for image in table["image"].unique():
        (root / image).hardlink_to(root / "plain.jpg")
    return validation.inspect(table, root, None, splits_are_cut=False)


def test_what_leaves_are_the_six_rows_with_a_joint_outside(verdict: ValidationResult) -> None:
    outside = {
        "train-0576": "13.41",
        "train-0957": "7.55",
        "train-1428": "2.23",
        "train-1429": "7.14",
        "train-3213": "22.81",
        "train-3331": "19.14",
    }
    found = verdict.quarantine
    assert set(found["rule"]) == {"outside"}
    assert dict(zip(found["id"], found["value"], strict=True)) == outside
    assert verdict.summary["quarantined"] == {rule.name: 6 * (rule.name == "outside") for rule in QUARANTINE.rules}
    assert verdict.summary["rows"]["train"] == 3987 - 6
    assert verdict.summary["passed"]


def test_what_is_told_are_the_people_who_were_annotated_twice(
    table: pd.DataFrame, verdict: ValidationResult
) -> None:
    # FLIC has 393 pairs, 82 of them in test. The rest are 309 here and 2 across the splits, in the two images that
    # stand in both.
    told = {rule.name: 609 * (rule.name == "annotated_twice") for rule in TOLD.rules}
    assert verdict.summary["told"] == told
    assert verdict.told["image"].nunique() == 303
    people = table["image"].value_counts()
    assert people.value_counts().to_dict() == {1: 3285, 2: 327, 3: 16}
    twice = table[table["id"].isin(verdict.told["id"])]
    joints = joints_of(twice)
    near = [
        np.linalg.norm(joints[i] - joints[k], axis=1).mean() < 0.3 * np.linalg.norm(joints[i, 0] - joints[i, 7])
        for rows in twice.groupby("image").indices.values()
        for n, i in enumerate(rows)
        for k in rows[n + 1 :]
    ]
    assert sum(near) == 309


def test_films_and_images_are_those_of_facts(table: pd.DataFrame, verdict: ValidationResult) -> None:
    assert verdict.summary["groups"]["train"] == 30
    assert verdict.summary["sources"] == {"raw": 3987}
    assert len(verdict.looked) == table["image"].nunique() == 3628


def measured(table: pd.DataFrame, joints: np.ndarray) -> pd.DataFrame:
    looked = table[["image", "width", "height"]].drop_duplicates()
    seen = looked.assign(picture_problem=None, picture_size="720x480", fingerprint=None)
    return measure(with_joints(table, joints)[table.columns], seen)


def test_limits_are_where_the_comments_say(table: pd.DataFrame) -> None:
    result = measured(table, joints_of(table))
    assert result["torso"].min() == pytest.approx(69.3, abs=0.05)
    assert result["longest_limb"].max() == pytest.approx(1.149, abs=5e-4)
    assert result["crossed"].max() == pytest.approx(-0.111, abs=5e-4)
    assert result["uneven"].max() == pytest.approx(2.57, abs=5e-3)
    # One person annotated twice and two people are clearly apart: nothing lies between 0.25 and 0.5.
    assert not result["nearest"].between(0.25, 0.5).any()


@pytest.mark.parametrize("pair", [("lhip", "rhip"), ("lelb", "relb"), ("lsho", "rsho")])
def test_swapped_sides_of_one_pair_are_found_in_every_row(table: pd.DataFrame, pair: tuple[str, str]) -> None:
    left, right = (INDEX[joint] for joint in pair)
    joints = joints_of(table)
    joints[:, [left, right]] = joints[:, [right, left]]
    assert (measured(table, joints)["crossed"] > 0.1).all()
