"""Paired differences between variants: which of two scores higher on the same test set, with 95 % intervals."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np

from splitpose.errors import InputError
from splitpose.evaluation.bootstrap import percentile_interval
from splitpose.evaluation.summary import GROUPS, resampled_scores, rounded, threshold_keys

Outcome = Literal["better", "worse", "not distinguishable"]


def paired_differences(
    errors: Mapping[str, np.ndarray],
    thresholds: Sequence[float],
    resamples: int,
    seed: int,
    clusters: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Compare every pair of variants on the same bootstrap resamples of the same instances.

    The difficulty of an instance for both variants cancels in the difference, so the interval is narrower than the
    intervals of the two scores suggest. The 95 % intervals are not corrected for multiple comparisons.

    Args:
        errors: (N, K) of each variant in torso diameters, NaN where not scored, for the same instances in the same
            order.
        thresholds: PCK thresholds; these and the arguments below are as for `summarise`.
        resamples: number of bootstrap resamples.
        seed: seed of the resampling.
        clusters: (N,) bootstrap cluster of each instance.

    Returns:
        One entry for each pair, the later variant of `errors` compared with the earlier one: {"variant",
        "reference", "n", "pck": {threshold: {group: {"difference", "ci95", "outcome"}}}, "auc": {largest threshold:
        {group: ...}}}. Differences are in percentage points, positive where `variant` scores higher, and None where
        no instance has any of the group's joints annotated. If all instances are in one cluster, "ci95" is None and
        the outcome is "not distinguishable".

    Raises:
        InputError: two variants are not scored on the same joints of the same instances.
    """
    _check_same_instances(errors)
    has_interval = len(np.unique(clusters)) > 1 if clusters is not None else len(next(iter(errors.values()))) > 1
    stacked = resampled_scores(np.stack(list(errors.values())), thresholds, resamples, seed, clusters)
    scores = dict(zip(errors, stacked, strict=True))
    return [
        {"variant": variant, "reference": reference, "n": len(errors[variant])}
        | _summarise_differences(scores[variant] - scores[reference], thresholds, has_interval)
        for reference, variant in combinations(errors, 2)
    ]


def classify(low: float, high: float) -> Outcome:
    """Return whether an interval of differences excludes zero, and on which side."""
    if low > 0:
        return "better"
    return "worse" if high < 0 else "not distinguishable"


def _check_same_instances(errors: Mapping[str, np.ndarray]) -> None:
    first, *others = errors
    for other in others:
        if not np.array_equal(np.isnan(errors[first]), np.isnan(errors[other])):
            raise InputError(
                f"{other} and {first} are not scored on the same joints of the same instances; evaluate both again"
            )


def _summarise_differences(
    differences: np.ndarray, thresholds: Sequence[float], has_interval: bool
) -> dict[str, Any]:
    """Summarise (1 + resamples, T + 1, groups) differences at each threshold and for the AUC."""
    intervals = np.stack(percentile_interval(differences), axis=-1)
    *at_thresholds, area = (
        {
            group: _summarise_difference(value, ends, has_interval)
            for group, value, ends in zip(GROUPS, values, group_intervals, strict=True)
        }
        for values, group_intervals in zip(differences[0], intervals, strict=True)
    )
    return {
        "pck": dict(zip(threshold_keys(thresholds), at_thresholds, strict=True)),
        "auc": {f"{max(thresholds):g}": area},
    }


def _summarise_difference(value: np.ndarray, ends: np.ndarray, has_interval: bool) -> dict[str, Any] | None:
    """Summarise one difference; it is rounded first, so that the outcome agrees with the displayed numbers."""
    if np.isnan(value):
        return None
    if not has_interval:
        return {"difference": rounded(value), "ci95": None, "outcome": "not distinguishable"}
    ci95 = rounded(ends)
    return {"difference": rounded(value), "ci95": ci95, "outcome": classify(*ci95)}
