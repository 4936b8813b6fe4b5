import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.evaluation.paired_differences import Outcome, classify, paired_differences
from splitpose.skeleton import INDEX

PEOPLE = 400


def errors_missing_noses(*missed: range) -> np.ndarray:
    """Return errors of 0 for all joints, except for the noses of these people, which are infinite."""
    errors = np.zeros((PEOPLE, 11))
    for people in missed:
        errors[list(people), INDEX["nose"]] = np.inf
    return errors


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 2.0, "better"),
        (-2.0, -0.1, "worse"),
        (-1.0, 1.0, "not distinguishable"),
        (0.0, 2.0, "not distinguishable"),
        (-2.0, 0.0, "not distinguishable"),
        (0.0, 0.0, "not distinguishable"),
    ],
)
def test_classify(low: float, high: float, expected: Outcome) -> None:
    assert classify(low, high) == expected


def test_difference_calculated_manually() -> None:
    # Both miss half of the noses; the second misses 16 more.
    errors = {"first": errors_missing_noses(range(200)), "second": errors_missing_noses(range(216))}
    (compared,) = paired_differences(errors, (0.1, 0.2), resamples=4000, seed=0)
    assert (compared["variant"], compared["reference"], compared["n"]) == ("second", "first", PEOPLE)
    nose = compared["pck"]["0.2"]["nose"]
    assert nose["difference"] == -4.0
    # Only the 16 count: 4 +/- 1.96 * sqrt(0.04 * 0.96 / 400) = 4 +/- 1.92; unpaired it would be +/- 6.9.
    assert nose["ci95"] == [pytest.approx(-5.92, abs=0.35), pytest.approx(-2.08, abs=0.35)]
    assert nose["outcome"] == "worse"
    assert compared["pck"]["0.2"]["mean"]["difference"] == pytest.approx(-4 / 11, abs=5e-4)
    assert compared["pck"]["0.2"]["mean"]["outcome"] == "worse"
    assert compared["auc"]["0.2"]["nose"]["difference"] == -4.0
    assert compared["pck"]["0.2"]["wrist"] == {
        "difference": 0.0,
        "ci95": [0.0, 0.0],
        "outcome": "not distinguishable",
        "se_people": 0.0,
        "se_seeds": None,
        "ci95_people": [0.0, 0.0],
    }
    # One training run each: the interval covers people only.
    assert compared["seeds_covered"] is False
    assert nose["ci95_people"] == nose["ci95"]
    assert (nose["se_people"], nose["se_seeds"]) == (pytest.approx(0.98, abs=0.05), None)


def test_as_many_gained_as_lost_are_not_distinguishable() -> None:
    errors = {"first": errors_missing_noses(range(30)), "second": errors_missing_noses(range(30, 60))}
    (compared,) = paired_differences(errors, (0.2,), resamples=2000, seed=0)
    nose = compared["pck"]["0.2"]["nose"]
    assert (nose["difference"], nose["outcome"]) == (0.0, "not distinguishable")
    low, high = nose["ci95"]
    # 60 of 400 differ, by +1 or -1: +/- 1.96 * sqrt(0.15 / 400) = 3.80
    assert (low, high) == (pytest.approx(-3.8, abs=0.5), pytest.approx(3.8, abs=0.5))


def test_clustered_people_count_once() -> None:
    errors = {"first": errors_missing_noses(range(8)), "second": errors_missing_noses()}
    alone, together = (
        paired_differences(errors, (0.2,), 2000, 0, clusters)[0]["pck"]["0.2"]["nose"]
        for clusters in (None, np.arange(PEOPLE) // 8)
    )
    assert alone["difference"] == together["difference"] == 2.0
    assert (alone["outcome"], together["outcome"]) == ("better", "not distinguishable")


def test_every_pair_compares_the_later_variant_with_the_earlier() -> None:
    errors = {
        "a": errors_missing_noses(range(100)),
        "b": errors_missing_noses(range(40)),
        "c": errors_missing_noses(),
    }
    compared = paired_differences(errors, (0.2,), resamples=200, seed=0)
    found = {(one["variant"], one["reference"]): one["pck"]["0.2"]["nose"]["difference"] for one in compared}
    assert found == {("b", "a"): 15.0, ("c", "a"): 25.0, ("c", "b"): 10.0}
    assert {one["pck"]["0.2"]["nose"]["outcome"] for one in compared} == {"better"}


def test_a_joint_without_annotations_is_none() -> None:
    errors = {name: errors_missing_noses() for name in ("a", "b")}
    for one in errors.values():
        one[:, INDEX["leye"]] = np.nan
    (compared,) = paired_differences(errors, (0.2,), resamples=20, seed=0)
    assert compared["pck"]["0.2"]["leye"] is None
    assert compared["auc"]["0.2"]["leye"] is None
    assert compared["pck"]["0.2"]["reye"]["difference"] == 0


def test_variants_scored_on_different_people_are_rejected() -> None:
    other = errors_missing_noses()
    other[3, INDEX["nose"]] = np.nan
    for wrong in (other, errors_missing_noses()[1:]):
        with pytest.raises(
            InputError, match="final and split are not scored on the same joints of the same instances"
        ):
            paired_differences({"split": errors_missing_noses(), "final": wrong}, (0.2,), 20, 0)


def test_one_variant_has_no_differences() -> None:
    assert paired_differences({"a": errors_missing_noses()}, (0.2,), 20, 0) == []


def test_a_single_cluster_is_not_distinguishable():
    """Test forty people of one film: no resample differs from another, so there is no interval."""
    errors = {"a": np.full((40, 11), 0.1), "b": np.full((40, 11), 0.1)}
    errors["b"][0] = 0.9
    (found,) = paired_differences(errors, (0.2,), 100, 0, np.full(40, "film"))
    mean = found["pck"]["0.2"]["mean"]
    assert (mean["difference"], mean["ci95"], mean["outcome"]) == (-2.5, None, "not distinguishable")
    assert (mean["se_people"], mean["ci95_people"]) == (None, None)


def test_an_interval_over_repeats_covers_seeds():
    """Two repeats of each variant miss 0 and 8, and 16 and 24 of 400 noses: 99 and 95 % on average.

    Between seeds, each s^2 is 2, so the difference of the means has a variance of 2 / 2 + 2 / 2 = 2.
    """
    errors = {
        "first": np.stack([errors_missing_noses(), errors_missing_noses(range(8))]),
        "second": np.stack([errors_missing_noses(range(16)), errors_missing_noses(range(24))]),
    }
    (compared,) = paired_differences(errors, (0.2,), 4000, 0)
    nose = compared["pck"]["0.2"]["nose"]
    assert (compared["n"], compared["seeds_covered"], nose["difference"]) == (PEOPLE, True, -4.0)
    assert nose["se_seeds"] == pytest.approx(np.sqrt(2), abs=1e-3)
    # 8 people change by 0.5, 8 by 1, 8 by 0.5: sqrt((8 * 0.25 + 8 + 8 * 0.25) / 400 - 0.04^2) / sqrt(400) = 0.84 %
    assert nose["se_people"] == pytest.approx(0.84, abs=0.03)
    assert nose["ci95_people"][1] < 0  # People alone would call it worse.
    # V = 2 + 0.70, t of 2.70^2 / (1 + 1 + 0.70^2 / 399) = 3.6 degrees of freedom is 2.9: -4 +/- 4.8
    assert nose["ci95"] == [pytest.approx(-8.75, abs=0.2), pytest.approx(0.75, abs=0.2)]
    assert nose["outcome"] == "not distinguishable"


def test_one_repeat_of_either_variant_leaves_seeds_uncovered():
    one = errors_missing_noses(range(8))
    errors = {"first": one, "second": np.stack([one, errors_missing_noses(range(24))])}
    (compared,) = paired_differences(errors, (0.2,), 400, 0)
    nose = compared["pck"]["0.2"]["nose"]
    assert (compared["seeds_covered"], nose["difference"], nose["se_seeds"]) == (False, -2.0, None)
    assert nose["ci95"] == nose["ci95_people"]


def test_a_repeat_scored_on_other_joints_is_rejected():
    other = errors_missing_noses()
    other[3, INDEX["nose"]] = np.nan
    with pytest.raises(InputError, match="repeats of a are not scored on the same joints of the same instances"):
        paired_differences({"a": np.stack([errors_missing_noses(), other])}, (0.2,), 20, 0)
