import numpy as np
import pytest

from splitpose.evaluation import bootstrap
from splitpose.evaluation.bootstrap import percentile_interval, resampled_sums

VALUES = np.random.default_rng(5).integers(0, 3, (60, 4)).astype(float)


def test_the_first_row_is_the_sum_over_all_people() -> None:
    sums = resampled_sums(np.array([[1.0, 0.5], [2.0, 0.25]]), resamples=7, seed=0)
    assert sums.shape == (8, 2)
    np.testing.assert_array_equal(sums[0], [3, 0.75])


def test_a_resample_draws_as_many_people_with_replacement() -> None:
    who = resampled_sums(np.eye(5), resamples=4000, seed=0)[1:]  # how often each of five people was drawn
    assert (who.sum(axis=1) == 5).all()
    np.testing.assert_allclose(who.mean(axis=0), 1, atol=0.06)
    np.testing.assert_allclose(who.var(axis=0), 5 * (1 / 5) * (4 / 5), atol=0.06)  # binomial of 5 draws


def test_people_of_a_cluster_are_drawn_together() -> None:
    clusters = np.array(["b", "a", "b", "c", "a"])
    who = resampled_sums(np.eye(5), resamples=500, seed=0, clusters=clusters)[1:]
    np.testing.assert_array_equal(who[:, 0], who[:, 2])
    np.testing.assert_array_equal(who[:, 1], who[:, 4])
    assert (who[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_duplicates_do_not_change_the_resamples() -> None:
    once = resampled_sums(VALUES, resamples=100, seed=3)
    twice = resampled_sums(np.repeat(VALUES, 2, axis=0), 100, 3, clusters=np.repeat(np.arange(60), 2))
    np.testing.assert_array_equal(twice, 2 * once)


def test_the_same_seed_draws_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = resampled_sums(VALUES, resamples=101, seed=3)
    monkeypatch.setattr(bootstrap, "BLOCK", 60 * 7)
    np.testing.assert_array_equal(resampled_sums(VALUES, resamples=101, seed=3), sums)
    assert (resampled_sums(VALUES, resamples=101, seed=4)[1:] != sums[1:]).any()


def test_interval_contains_the_middle_of_the_resamples() -> None:
    resampled = np.concatenate([[-1000.0], np.arange(1001.0)])[:, None]  # the first row is of no resample
    low, high = percentile_interval(resampled)
    assert (low[0], high[0]) == (25, 975)


def test_undefined_resamples_are_left_out() -> None:
    resampled = np.array([[1, np.nan], [3.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])
    low, high = percentile_interval(resampled)
    np.testing.assert_array_equal([low, high], [[3, np.nan], [3, np.nan]])
