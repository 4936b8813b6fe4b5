import numpy as np
import pytest

from splitpose.evaluation.bootstrap import resampled_sums
from splitpose.evaluation.seed_variation import describe_variation, estimate_difference, estimate_score


def scores(*seeds: list[float], clusters: np.ndarray | None = None, resamples: int = 20_000) -> np.ndarray:
    """Return the scores (S, 1 + resamples, 1) of seeds from each person's percentage."""
    return resampled_sums(np.array(seeds).T, resamples, 0, clusters).T[..., None] / len(seeds[0])


FIRST, SECOND = [100.0, 100, 80, 80], [80.0, 80, 60, 60]
"""Percentages of four people: seeds of 90 and 70 %, a mean of 80 %; the means of the people are 90, 90, 70, 70."""


def test_two_seeds_and_four_people_calculated_manually() -> None:
    estimate = estimate_score(scores(FIRST, SECOND), clusters=4)
    assert estimate.value == pytest.approx([80])
    # The variance between people is (4 * 10^2) / 3, that of their mean a quarter of it.
    assert estimate.people_variance == pytest.approx([400 / 3 / 4], rel=0.02)
    assert estimate.seeds_variance == pytest.approx([(10**2 + 10**2) / 2])
    # 133.3^2 / (33.3^2 / 3 + 100^2 / 1) = 1.714 degrees of freedom, whose t is 5.07: 80 +/- 5.07 * sqrt(133.3)
    assert estimate.interval[0] == pytest.approx([80 - 58.6], abs=1)
    assert estimate.interval[1] == [100]  # cut at the largest percentage
    assert estimate.people_interval == (pytest.approx([70]), pytest.approx([90]))
    assert estimate.covers_seeds


def test_equal_people_leave_students_interval_of_the_seeds() -> None:
    estimate = estimate_score(scores([50.0] * 4, [51.0] * 4, [52.0] * 4), clusters=4)
    # 51 +/- 4.303 * 1 / sqrt(3)
    assert (*estimate.interval[0], *estimate.interval[1]) == pytest.approx((51 - 2.484, 51 + 2.484), abs=1e-3)


def test_equal_seeds_leave_students_interval_of_the_people() -> None:
    people = list(np.arange(40.0, 60.0))
    estimate = estimate_score(scores(people, people), clusters=20)
    # 49.5 +/- 2.093 * sqrt(35 / 20): the sample variance of 0 to 19 is 35, t has 19 degrees of freedom
    assert (*estimate.interval[0], *estimate.interval[1]) == pytest.approx((49.5 - 2.769, 49.5 + 2.769), abs=0.03)


def test_no_variation_has_an_interval_of_zero_width() -> None:
    estimate = estimate_score(scores([70.0] * 4, [70.0] * 4), clusters=4)
    assert (*estimate.interval[0], *estimate.interval[1]) == (70, 70)


def test_one_seed_has_the_percentile_interval_over_people() -> None:
    estimate = estimate_score(scores(FIRST), clusters=4)
    low, high = np.percentile(scores(FIRST)[0, 1:, 0], [2.5, 97.5])
    assert (*estimate.interval[0], *estimate.interval[1]) == (low, high)
    assert estimate.interval == estimate.people_interval
    assert not estimate.covers_seeds
    assert estimate.seeds_variance is None


def test_a_difference_has_paired_people_and_the_seeds_of_both() -> None:
    shifted = [[value - 10 for value in FIRST], [value - 20 for value in FIRST], [value - 30 for value in FIRST]]
    estimate = estimate_difference(scores(FIRST, FIRST), scores(*shifted), clusters=4)
    assert estimate.value == pytest.approx([20])
    assert estimate.people_variance == pytest.approx([0], abs=1e-6)  # Everyone differs by 20.
    assert estimate.seeds_variance == pytest.approx([0 / 2 + 100 / 3])
    # 20 +/- 4.303 * sqrt(33.3): two degrees of freedom, because the first variant's seeds do not vary
    assert (*estimate.interval[0], *estimate.interval[1]) == pytest.approx((20 - 24.84, 20 + 24.84), abs=0.01)


def test_a_difference_is_cut_at_100_points() -> None:
    estimate = estimate_difference(scores([100.0] * 4, [90.0] * 4), scores([0.0] * 4, [10.0] * 4), clusters=4)
    assert (*estimate.value, *estimate.interval[1]) == pytest.approx((90, 100))
    assert estimate.interval[0] == pytest.approx([90 - 4.303 * np.sqrt(50)], abs=0.1)


def test_one_seed_of_either_variant_leaves_seeds_uncovered() -> None:
    estimate = estimate_difference(scores(FIRST, SECOND), scores(FIRST), clusters=4)
    assert estimate.value == pytest.approx([-10])
    assert not estimate.covers_seeds
    assert estimate.interval == estimate.people_interval


def test_clusters_are_resampled_together() -> None:
    clusters = np.array([0, 0, 1, 1])
    estimate = estimate_score(scores(FIRST, SECOND, clusters=clusters), clusters=2)
    # Two clusters of 90 and 70 %: their variance is 200, that of the mean half of it.
    assert estimate.people_variance == pytest.approx([100], rel=0.02)


def test_one_cluster_has_no_interval() -> None:
    estimate = estimate_score(scores(FIRST, SECOND, clusters=np.zeros(4)), clusters=1)
    assert np.isnan([*estimate.people_variance, *estimate.interval[0], *estimate.interval[1]]).all()
    assert describe_variation(estimate, 0) == {"se_people": None, "se_seeds": 10.0, "ci95_people": None}


def test_an_undefined_score_is_nan_without_a_warning() -> None:
    undefined = np.full((2, 11, 1), np.nan)
    estimate = estimate_score(undefined, clusters=4)
    assert np.isnan([*estimate.value, *estimate.interval[0], *estimate.interval[1]]).all()
    assert describe_variation(estimate, 0) == {"se_people": None, "se_seeds": None, "ci95_people": None}


def test_a_resample_without_the_joint_is_ignored() -> None:
    some = np.array([[80.0, 70, np.nan, 90], [80, 70, np.nan, 90]])[..., None]
    assert estimate_score(some, clusters=4).people_variance == pytest.approx([10**2 * 4 / 3])


def test_standard_errors_are_the_roots_of_the_variances() -> None:
    found = describe_variation(estimate_score(scores(FIRST, SECOND), clusters=4), 0)
    assert found == {
        "se_people": pytest.approx(5.774, rel=0.01), "se_seeds": 10.0, "ci95_people": [70, 90],
    }  # fmt: skip
