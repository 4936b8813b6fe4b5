import numpy as np
import pytest

from splitpose.evaluation.repeat_scores import score_repeats
from splitpose.evaluation.summary import GROUPS, summarise
from splitpose.skeleton import INDEX

PEOPLE = 400


def errors_missing_noses(count: int) -> np.ndarray:
    """Return errors (N, K) of 0, except for the first noses, which are 0.15 torso diameters off."""
    errors = np.zeros((PEOPLE, 11))
    errors[:count, INDEX["nose"]] = 0.15
    return errors


def three_repeats() -> np.ndarray:
    """Return errors of repeats whose noses have a PCK@0.1 of 90, 85 and 95 %."""
    return np.stack([errors_missing_noses(count) for count in (40, 60, 20)])


def test_scores_are_means_over_the_repeats() -> None:
    scores = score_repeats(three_repeats(), (0.1, 0.2), 2000, 0)
    assert scores.summary["pck"]["0.1"]["nose"] == 90.0
    assert scores.summary["pck"]["0.2"]["nose"] == 100.0
    assert scores.summary["auc"]["0.2"]["nose"] == pytest.approx(100 - 10 * 0.75)
    assert scores.ranges["pck_range"]["0.1"]["nose"] == [85.0, 95.0]
    assert scores.ranges["auc_range"]["0.2"]["nose"] == pytest.approx([88.75, 96.25])
    assert scores.by_repeat == [100.0, 100.0, 100.0]


def test_intervals_cover_people_and_seeds() -> None:
    scores = score_repeats(three_repeats(), (0.1, 0.2), 2000, 0)
    nose = scores.variation["0.1"]["nose"]
    assert (nose["score"], nose["range"]) == (90.0, [85.0, 95.0])
    assert nose["se_seeds"] == pytest.approx(5 / np.sqrt(3), abs=1e-3)
    # 20 people miss in all, 20 in two and 20 in one repeat: (20 + 20 * 4 / 9 + 20 / 9) / 400 - 0.1^2 = 0.0678
    assert nose["se_people"] == pytest.approx(100 * np.sqrt(0.0678 / 400), abs=0.05)
    # V = 8.33 + 1.69, t of 10.0^2 / (8.33^2 / 2) = 2.9 degrees of freedom is 3.25: 90 +/- 10.3, cut at 100
    assert nose["ci95"] == scores.summary["ci95"]["0.1"]["nose"] == [pytest.approx(79.7, abs=0.2), 100.0]
    low, high = nose["ci95_people"]
    assert low == pytest.approx(87.4, abs=0.4)
    assert high == pytest.approx(92.5, abs=0.4)


def test_keys_are_those_of_a_single_repeat() -> None:
    scores = score_repeats(three_repeats(), (0.05, 0.2), 50, 0)
    one = summarise(three_repeats()[0], (0.05, 0.2), 50, 0)
    for key, thresholds in one.items():
        assert list(scores.summary[key]) == list(thresholds)
        for threshold, groups in thresholds.items():
            assert list(scores.summary[key][threshold]) == list(groups)
    assert list(scores.variation) == ["0.05", "0.2"]
    assert list(scores.variation["0.2"]) == list(GROUPS)


def test_a_joint_without_annotations_is_none() -> None:
    errors = three_repeats()
    errors[..., INDEX["leye"]] = np.nan
    scores = score_repeats(errors, (0.2,), 20, 0)
    assert scores.summary["pck"]["0.2"]["leye"] is None
    assert scores.summary["ci95"]["0.2"]["leye"] is None
    assert scores.ranges["pck_range"]["0.2"]["leye"] is None
    assert set(scores.variation["0.2"]["leye"].values()) == {None}


def test_a_single_cluster_has_scores_without_intervals() -> None:
    scores = score_repeats(three_repeats(), (0.1, 0.2), 20, 0, np.full(PEOPLE, "film"))
    assert scores.summary["pck"]["0.1"]["nose"] == 90.0
    assert scores.summary["ci95"]["0.1"]["nose"] is None
    assert scores.variation["0.1"]["nose"]["se_people"] is None
    assert scores.variation["0.1"]["nose"]["se_seeds"] == pytest.approx(2.887)
