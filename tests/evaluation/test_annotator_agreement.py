from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import with_joints
from splitpose.evaluation import annotator_agreement as module
from splitpose.evaluation.annotator_agreement import (
    annotator_agreement,
    has_second_annotation,
    pair_distances,
)
from splitpose.skeleton import INDEX, JOINTS, TORSO

# The torso, from lsho to rhip, is 100 px: 60 across, 80 down.
PERSON = np.array([[7.0 * k, 11.0 * k] for k in range(len(JOINTS))])
PERSON[INDEX["lsho"]] = 60, 0
PERSON[INDEX["rhip"]] = 0, 80

THRESHOLDS = (0.05, 0.1, 0.2)


def moved(**by: tuple[float, float]) -> np.ndarray:
    joints = PERSON.copy()
    for name, shift in by.items():
        joints[INDEX[name]] += shift
    return joints


def table(*people: tuple[str, np.ndarray]) -> pd.DataFrame:
    """Return image and joints of each row, the columns that are used."""
    rows = pd.DataFrame({"image": [image for image, _ in people]})
    return with_joints(rows, np.stack([joints for _, joints in people]))


def test_two_annotations_of_one_person() -> None:
    found = annotator_agreement(
        table(("a", PERSON), ("a", moved(lwri=(10, 0), nose=(0, 30)))), THRESHOLDS, "lsho-rhip"
    )
    assert (found["pairs"], found["torso"]) == (1, "lsho-rhip")
    assert found["pck"]["0.05"]["mean"] == pytest.approx(100 * 9 / 11, abs=5e-4)
    assert found["pck"]["0.1"]["mean"] == pytest.approx(100 * 10 / 11, abs=5e-4)
    assert found["pck"]["0.2"]["mean"] == pytest.approx(100 * 10 / 11, abs=5e-4)
    assert [found["pck"][at]["lwri"] for at in ("0.05", "0.1", "0.2")] == [0, 100, 100]
    assert [found["pck"][at]["wrist"] for at in ("0.05", "0.1", "0.2")] == [50, 100, 100]
    assert [found["pck"][at]["nose"] for at in ("0.05", "0.1", "0.2")] == [0, 0, 0]
    assert found["ci95"]["0.1"]["wrist"] == [100, 100]
    # lwri is 0.1 off and adds 1 - 0.1 / 0.2, the nose 0.3.
    assert (found["auc"]["0.2"]["lwri"], found["auc"]["0.2"]["nose"]) == (50, 0)


def test_neither_annotation_counts_for_more() -> None:
    # The second torso is 200 px, so 15 px are 0.15 and 0.075, and the hip's 100 px are 1 and 0.5.
    other = moved(rhip=(-60, 80), nose=(15, 0))
    for people in ([PERSON, other], [other, PERSON]):
        (distances,) = pair_distances(table(*(("a", joints) for joints in people)), TORSO)
        assert distances[INDEX["nose"]] == pytest.approx(0.1125)
        assert distances[INDEX["rhip"]] == pytest.approx(0.75)
        assert distances[INDEX["leye"]] == 0


def test_three_annotations_of_one_person_are_three_pairs() -> None:
    people = [("a", PERSON), ("a", moved(nose=(10, 0))), ("a", moved(nose=(30, 0)))]
    distances = pair_distances(table(*people), TORSO)
    np.testing.assert_allclose(np.sort(distances[:, INDEX["nose"]]), [0.1, 0.2, 0.3])


def test_people_annotated_twice() -> None:
    other = moved(nose=(10, 0))
    people = table(("a", PERSON), ("b", PERSON), ("a", PERSON + [300, 0]), ("a", other), ("c", other))
    assert has_second_annotation(people, TORSO).tolist() == [True, False, False, True, False]


@pytest.mark.parametrize(
    ("image", "joints"),
    [
        ("b", moved(nose=(10, 0))),  # another image
        ("a", PERSON + [31, 0]),  # another person, 0.31 torso diameters beside
        ("a", PERSON),  # a copy of the annotation
        ("a", moved(rhip=(np.nan, np.nan))),  # a copy without a torso
    ],
)
def test_rows_that_are_no_second_annotation(image: str, joints: np.ndarray) -> None:
    found = annotator_agreement(table(("a", PERSON), (image, joints)), THRESHOLDS, "lsho-rhip")
    assert found == {"pairs": 0, "torso": "lsho-rhip", "pck": {}, "ci95": {}, "auc": {}}


def test_a_joint_that_one_of_them_left_out_is_not_counted() -> None:
    people = [("a", moved(nose=(np.nan, np.nan), lelb=(3, 0))), ("a", moved(leye=(np.nan, np.nan)))]
    found = annotator_agreement(table(*people), (0.2,), "lsho-rhip")
    assert found["pairs"] == 1
    assert found["pck"]["0.2"]["nose"] is None
    assert found["pck"]["0.2"]["leye"] is None
    assert found["pck"]["0.2"]["mean"] == 100


def test_the_torso_may_be_the_other_diagonal() -> None:
    people = table(("a", PERSON), ("a", moved(lwri=(10, 0))))
    rsho, lhip = PERSON[INDEX["rsho"]], PERSON[INDEX["lhip"]]
    (distances,) = pair_distances(people, ("rsho", "lhip"))
    assert distances[INDEX["lwri"]] == pytest.approx(10 / np.linalg.norm(rsho - lhip))
    assert annotator_agreement(people, (0.1,), "rsho-lhip")["torso"] == "rsho-lhip"


@pytest.fixture(scope="module")
def training(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "flic" / "annotations_train.csv")


def test_agreement_on_the_real_training_rows(training: pd.DataFrame) -> None:
    found = annotator_agreement(training, THRESHOLDS, "lsho-rhip")
    # 393 pairs in both splits, less 82 in test and one in each of the two images in both splits.
    assert found["pairs"] == 393 - 82 - 2
    assert {
        at: (scores["mean"], scores["elbow"], scores["wrist"], (scores["lhip"] + scores["rhip"]) / 2)
        for at, scores in found["pck"].items()
    } == {
        "0.05": pytest.approx((74.08, 77.83, 80.26, 32.20), abs=0.005),
        "0.1": pytest.approx((92.70, 98.71, 97.41, 67.31), abs=0.005),
        "0.2": pytest.approx((98.97, 99.84, 99.68, 94.82), abs=0.005),
    }
    low, high = found["ci95"]["0.1"]["wrist"]
    assert 95 < low < 97.41 < high < 99


@pytest.mark.parametrize("limit", [0.12, 0.6])
def test_one_person_and_two_are_far_apart(
    training: pd.DataFrame, limit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DUPLICATE_DISTANCE", limit)
    assert len(pair_distances(training, TORSO)) == 309
