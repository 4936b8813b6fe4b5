"""Paired differences between variants: which of two scores higher on the same test set, with 95 % intervals."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np

from splitpose.errors import InputError
from splitpose.evaluation.bootstrap import count_clusters
from splitpose.evaluation.seed_variation import Estimate, describe_variation, estimate_difference
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
    intervals of the two scores suggest. The 95 % intervals cover people and seeds if both variants were trained
    several times, otherwise people only (see `seed_variation`). They are not corrected for multiple comparisons.

    Args:
        errors: (N, K) of each variant in torso diameters, or (S, N, K) of the S repeats of its training; NaN where
            not scored, for the same instances in the same order.
        thresholds: PCK thresholds; these and the arguments below are as for `summarise`.
        resamples: number of bootstrap resamples.
        seed: seed of the resampling.
        clusters: (N,) bootstrap cluster of each instance.

    Returns:
        One entry for each pair, the later variant of `errors` compared with the earlier one: {"variant",
        "reference", "n", "seeds_covered": whether the intervals cover seeds, "pck": {threshold: {group:
        {"difference", "ci95", "outcome", "se_people", "se_seeds", "ci95_people"}}}, "auc": {largest threshold:
        {group: ...}}}; see `describe_variation`. Differences are in percentage points between the means over the
        repeats, positive where `variant` scores higher, and None where no instance has any of the group's joints
        annotated. If all instances are in one cluster, "ci95" is None and the outcome is "not distinguishable".

    Raises:
        InputError: two variants, or two repeats, are not scored on the same joints of the same instances.
    """
    repeats = {name: values.reshape(-1, *values.shape[-2:]) for name, values in errors.items()}
    _check_same_instances(repeats)
    stacked = np.concatenate(list(repeats.values()))
    instances = stacked.shape[1]
    every_score = resampled_scores(stacked, thresholds, resamples, seed, clusters)
    ends = np.cumsum([len(values) for values in repeats.values()])
    scores = dict(zip(repeats, np.split(every_score, ends[:-1]), strict=True))
    cluster_count = count_clusters(instances, clusters)
    return [
        {"variant": variant, "reference": reference, "n": instances}
        | _summarise_differences(estimate_difference(scores[variant], scores[reference], cluster_count), thresholds)
        for reference, variant in combinations(repeats, 2)
    ]


def classify(low: float, high: float) -> Outcome:
    """Return whether an interval of differences excludes zero, and on which side."""
    if low > 0:
        return "better"
    return "worse" if high < 0 else "not distinguishable"


def _check_same_instances(errors: Mapping[str, np.ndarray]) -> None:
    """Check that all (S, N, K) errors are missing for the same joints of the same instances."""
    first = next(iter(errors))
    missing = np.isnan(errors[first][0])
    for name, repeats in errors.items():
        if not all(np.array_equal(np.isnan(values), missing) for values in repeats):
            others = f"{name} and {first}" if name != first else f"repeats of {name}"
            raise InputError(
                f"{others} are not scored on the same joints of the same instances; evaluate both again"
            )


def _summarise_differences(estimate: Estimate, thresholds: Sequence[float]) -> dict[str, Any]:
    """Summarise estimates of (T + 1, groups) differences at each threshold and for the AUC."""
    *at_thresholds, area = (
        {group: _summarise_difference(estimate, row, column) for column, group in enumerate(GROUPS)}
        for row in range(len(thresholds) + 1)
    )
    return {
        "seeds_covered": estimate.covers_seeds,
        "pck": dict(zip(threshold_keys(thresholds), at_thresholds, strict=True)),
        "auc": {f"{max(thresholds):g}": area},
    }


def _summarise_difference(estimate: Estimate, *index: int) -> dict[str, Any] | None:
    """Summarise one difference; it is rounded first, so that the outcome agrees with the displayed numbers."""
    value = estimate.value[index]
    if np.isnan(value):
        return None
    variation = describe_variation(estimate, *index)
    if np.isnan(estimate.people_variance[index]):  # All instances are in one cluster.
        return {"difference": rounded(value), "ci95": None, "outcome": "not distinguishable"} | variation
    ci95 = rounded(np.array([end[index] for end in estimate.interval]))
    return {"difference": rounded(value), "ci95": ci95, "outcome": classify(*ci95)} | variation
