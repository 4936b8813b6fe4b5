import numpy as np
import pytest

from splitpose.evaluation.summary import GROUPS, summarise
from splitpose.skeleton import INDEX


def test_groups_calculated_manually() -> None:
    errors = np.zeros((4, 11))
    errors[0, INDEX["lelb"]] = errors[:2, INDEX["relb"]] = 0.15
    scores = summarise(errors, (0.1, 0.2), resamples=50, seed=0)
    pck, auc = scores["pck"], scores["auc"]["0.2"]
    assert pck["0.1"]["lelb"] == 75.0
    assert pck["0.1"]["relb"] == 50.0
    assert pck["0.1"]["elbow"] == 62.5
    assert pck["0.1"]["mean"] == pytest.approx((9 * 100 + 75 + 50) / 11, abs=1e-3)
    assert pck["0.2"]["mean"] == 100.0
    # An error of 0.15 adds a quarter: 1 - 0.15 / 0.2.
    assert auc["lelb"] == 81.25
    assert auc["relb"] == 62.5
    assert auc["elbow"] == pytest.approx(71.875)
    assert auc["nose"] == 100.0
    low, high = auc["ci95"]["elbow"]
    assert 25 <= low < 71.875 < high <= 100


def test_the_area_runs_to_the_largest_threshold_in_any_order() -> None:
    scores = summarise(np.full((3, 11), 0.1), (0.4, 0.05), resamples=10, seed=0)
    assert list(scores["pck"]) == list(scores["ci95"]) == ["0.4", "0.05"]
    assert {key: value["mean"] for key, value in scores["auc"].items()} == {"0.4": 75.0}
    assert (scores["pck"]["0.4"]["mean"], scores["pck"]["0.05"]["mean"]) == (100.0, 0.0)
    assert set(scores["auc"]["0.4"]["ci95"]) == set(GROUPS)


def test_interval_of_a_share_is_the_binomials() -> None:
    errors = np.zeros((400, 11))
    errors[:100, INDEX["nose"]] = 1.0
    low, high = summarise(errors, (0.2,), resamples=4000, seed=1)["ci95"]["0.2"]["nose"]
    # 75 +/- 1.96 * sqrt(0.75 * 0.25 / 400) = 75 +/- 4.24
    assert low == pytest.approx(70.76, abs=0.5)
    assert high == pytest.approx(79.24, abs=0.5)


def test_people_of_one_image_are_resampled_together() -> None:
    errors = np.zeros((400, 11))
    errors[:100, INDEX["nose"]] = 1.0
    images = np.arange(400) // 4  # the four people of an image are all correct or all wrong
    scores = summarise(errors, (0.2,), resamples=4000, seed=1, clusters=images)
    assert scores["pck"]["0.2"]["nose"] == 75.0
    low, high = scores["ci95"]["0.2"]["nose"]
    # 100 images: 75 +/- 1.96 * sqrt(0.75 * 0.25 / 100) = 75 +/- 8.49
    assert low == pytest.approx(66.51, abs=0.6)
    assert high == pytest.approx(83.49, abs=0.6)


def test_a_joint_without_annotations_is_none() -> None:
    errors = np.zeros((5, 11))
    errors[:, INDEX["leye"]] = np.nan
    scores = summarise(errors, (0.2,), resamples=20, seed=0)
    assert scores["pck"]["0.2"]["leye"] is None
    assert scores["pck"]["0.2"]["mean"] == 100.0
    assert scores["ci95"]["0.2"]["leye"] is None
    assert scores["pck"]["0.2"]["reye"] == 100.0
    assert scores["auc"]["0.2"]["leye"] is None
    assert scores["auc"]["0.2"]["ci95"]["leye"] is None


def test_a_rare_joint_is_scored_on_the_resamples_that_contain_it() -> None:
    errors = np.zeros((3, 11))
    errors[1:, INDEX["nose"]] = np.nan
    scores = summarise(errors, (0.2,), resamples=200, seed=0)
    assert scores["ci95"]["0.2"]["nose"] == [100.0, 100.0]
    assert scores["ci95"]["0.2"]["lsho"] == [100.0, 100.0]
