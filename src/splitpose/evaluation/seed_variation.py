"""Standard errors and 95 % intervals of scores over test people and over the seeds of repeated training runs.

The score of a variant is estimated by the mean over its S seeds. Its variance is the sum of two parts:

- people: the variance of the bootstrap over clusters of people of the seed-averaged score, times C / (C - 1) for C
  clusters, because the bootstrap of a mean is too small by that factor;
- seeds: s^2 / S, where s^2 is the sample variance of the seeds' scores on all people.

The interval is the estimate +/- t times the root of the sum. t is the quantile of Student's distribution whose
degrees of freedom combine C - 1 of the people and S - 1 of the seeds (Satterthwaite, Biometrics Bulletin 2, 1946;
Welch, Biometrika 34, 1947). The difference of two variants has a paired bootstrap of its own, and the seeds' parts
of both variants, which are trained independently. Seeds belong in the variance because they change a benchmark's
ranking as much as other samples of test data do (Bouthillier et al., MLSys 2021).

How a seed's model deviates on single people is in both parts, so their sum is slightly too large. This compensates
for the approximate degrees of freedom: intervals of 3 and 5 seeds cover 90 to 98 % in
benchmarks/interval_coverage.py, and subtracting the double part lowered this by 1 to 5 points. The variances of the
seeds are not pooled over variants, because they differ: on the sample, the PCK@0.2 of five seeds has a standard
deviation of 2.1 points for no_gap and of 0.2 for final.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from splitpose.evaluation.bootstrap import percentile_interval
from splitpose.evaluation.summary import rounded

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """Scores in percent, or differences of scores in percentage points, with their variation; NaN where undefined.

    All arrays have the shape of the estimated scores.
    """

    value: np.ndarray
    """The mean over the seeds on all people, or a difference of two means."""
    people_variance: np.ndarray
    """Variance over people; NaN if all people are in one cluster."""
    seeds_variance: np.ndarray | None
    """Variance over seeds; None if a variant has one seed."""
    people_interval: tuple[np.ndarray, np.ndarray]
    """Ends of the 95 % percentile interval over people alone, for the seeds at hand."""
    interval: tuple[np.ndarray, np.ndarray]
    """Ends of the 95 % interval over people and seeds; that over people alone if a variant has one seed."""

    @property
    def covers_seeds(self) -> bool:
        """Whether the interval covers the variation between seeds."""
        return self.seeds_variance is not None


def estimate_score(scores: np.ndarray, clusters: int) -> Estimate:
    """Estimate a variant's expected scores.

    Args:
        scores: (S, 1 + resamples, ...) percent of S seeds, on all people and on the same resamples of people.
        clusters: number of bootstrap clusters.
    """
    return _estimate(scores.mean(axis=0), [scores[:, 0]], clusters, limits=(0.0, 100.0))


def estimate_difference(scores: np.ndarray, reference: np.ndarray, clusters: int) -> Estimate:
    """Estimate the differences of a variant's expected scores from those of a reference on the same resamples.

    Args:
        scores: as for `estimate_score`.
        reference: scores of the other variant, whose number of seeds may differ.
        clusters: number of bootstrap clusters.
    """
    resampled = scores.mean(axis=0) - reference.mean(axis=0)
    return _estimate(resampled, [scores[:, 0], reference[:, 0]], clusters, limits=(-100.0, 100.0))


def describe_variation(estimate: Estimate, *index: int) -> dict[str, Any]:
    """Describe the variation of one of the estimated values between people and between seeds.

    Returns:
        {"se_people": standard error over people, "se_seeds": standard error over seeds, None if they are not
        covered, "ci95_people": 95 % interval over people alone}. All are None for an undefined value, and those
        over people if all instances are in one bootstrap cluster.
    """
    people, seeds = estimate.people_variance[index], estimate.seeds_variance
    ends = np.array([end[index] for end in estimate.people_interval])
    return {
        "se_people": rounded(np.sqrt(people)),
        "se_seeds": None if seeds is None else rounded(np.sqrt(seeds[index])),
        "ci95_people": None if np.isnan(people) else rounded(ends),
    }


def _estimate(
    resampled: np.ndarray, seeds: Sequence[np.ndarray], clusters: int, limits: tuple[float, float]
) -> Estimate:
    """Estimate statistics from (1 + resamples, ...) values and from the (S, ...) scores of each variant's seeds.

    The interval over people and seeds is cut at the limits of the statistic.
    """
    value = resampled[0]
    people = _people_variance(resampled, clusters)
    people_interval = percentile_interval(resampled)
    if any(len(scores) == 1 for scores in seeds):
        return Estimate(value, people, None, people_interval, people_interval)
    parts = [(scores.var(axis=0, ddof=1) / len(scores), len(scores) - 1) for scores in seeds]
    half = _half_width([(people, clusters - 1), *parts])
    low, high = limits
    interval = np.clip(value - half, low, high), np.clip(value + half, low, high)
    return Estimate(value, people, sum(variance for variance, _ in parts), people_interval, interval)


def _people_variance(resampled: np.ndarray, clusters: int) -> np.ndarray:
    """Return the variance over people of each statistic; a resample in which it is undefined is ignored."""
    if clusters < 2:
        return np.full_like(resampled[0], np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # A statistic undefined in all resamples stays NaN.
        variance: np.ndarray = np.nanvar(resampled[1:], axis=0) * clusters / (clusters - 1)
    return variance


def _half_width(parts: Sequence[tuple[np.ndarray, int]]) -> np.ndarray:
    """Return half the interval's width from independent variances and their degrees of freedom (Satterthwaite)."""
    total = np.sum([variance for variance, _ in parts], axis=0)
    spread = np.sum([variance**2 / freedom for variance, freedom in parts if freedom], axis=0)
    freedom = np.divide(total**2, spread, out=np.ones_like(total), where=spread > 0)
    half: np.ndarray = stdtrit(freedom, (1 + CONFIDENCE) / 2) * np.sqrt(total)
    return half
