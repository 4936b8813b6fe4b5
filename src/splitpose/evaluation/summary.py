"""Metrics of a set of predictions: PCK and AUC of each joint and joint group, with 95 % bootstrap intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from splitpose.evaluation.bootstrap import percentile_interval, resampled_sums
from splitpose.evaluation.pck import auc_contributions
from splitpose.skeleton import INDEX, JOINTS

GROUPS: dict[str, tuple[str, ...]] = {
    "mean": JOINTS,
    "elbow": ("lelb", "relb"),
    "wrist": ("lwri", "rwri"),
    **{joint: (joint,) for joint in JOINTS},
}
"""The joint groups that metrics are reported for: each is the mean over those of its joints that are annotated."""


def summarise(
    errors: np.ndarray, thresholds: Sequence[float], resamples: int, seed: int, clusters: np.ndarray | None = None
) -> dict[str, Any]:
    """Return PCK, the area under its curve (AUC) and their 95 % bootstrap intervals.

    Args:
        errors: (N, K) in torso diameters, NaN where not scored.
        thresholds: PCK thresholds in torso diameters; the AUC runs from 0 to the largest.
        resamples: number of bootstrap resamples.
        seed: seed of the resampling.
        clusters: (N,) bootstrap cluster of each instance, e.g. its image; a cluster is resampled as a unit.

    Returns:
        {"pck": {threshold: {group: percent}}, "ci95": {threshold: {group: [low, high]}},
        "auc": {largest threshold: {group: percent, "ci95": {group: [low, high]}}}}; None instead of a number or
        an interval where no instance has any of the group's joints annotated.
    """
    scores = resampled_scores(errors[None], thresholds, resamples, seed, clusters)[0]
    *percentages, area = by_group(scores[0])
    *intervals, area_interval = by_group(np.stack(percentile_interval(scores), axis=-1))
    keys = threshold_keys(thresholds)
    return {
        "pck": dict(zip(keys, percentages, strict=True)),
        "ci95": dict(zip(keys, intervals, strict=True)),
        "auc": {f"{max(thresholds):g}": {**area, "ci95": area_interval}},
    }


def resampled_scores(
    errors: np.ndarray, thresholds: Sequence[float], resamples: int, seed: int, clusters: np.ndarray | None = None
) -> np.ndarray:
    """Return the scores on all instances and on every resample, with the same resamples for all sets of errors.

    Args:
        errors: (V, N, K) in torso diameters, NaN where not scored: V sets of predictions for the same instances.
        thresholds: T thresholds; this and the other arguments are as for `summarise`.

    Returns:
        (V, 1 + resamples, T + 1, groups) percent: PCK at each threshold, then AUC, for each of GROUPS; NaN where
        no instance has any of a group's joints annotated.
    """
    sets, instances, joints = errors.shape
    credits = [~np.isnan(errors), *(errors <= at for at in thresholds), auc_contributions(errors, max(thresholds))]
    columns = np.stack(credits).transpose(2, 1, 0, 3)  # instances, sets, credits, joints
    sums = resampled_sums(columns.reshape(instances, -1), resamples, seed, clusters)
    scored, credit = np.split(sums.reshape(-1, sets, len(credits), joints), [1], axis=2)
    with np.errstate(invalid="ignore"):
        by_joint = 100.0 * credit / scored
    return np.stack([_group_means(by_joint[:, k], scored[0, k, 0] > 0) for k in range(sets)])


def threshold_keys(thresholds: Sequence[float]) -> list[str]:
    """Return the thresholds as JSON keys, e.g. "0.2"."""
    return [f"{threshold:g}" for threshold in thresholds]


def by_group(values: np.ndarray) -> list[dict[str, Any]]:
    """Convert rows (M, groups) or (M, groups, 2) to M dicts {group: rounded number or pair}, None for NaN."""
    return [{group: rounded(value) for group, value in zip(GROUPS, row, strict=True)} for row in values]


def rounded(value: np.ndarray) -> Any:
    """Round a number or an array (returned as a list) to three decimals; None for NaN."""
    return None if np.isnan(value).any() else (np.round(value, 3) + 0.0).tolist()  # + 0.0: no "-0.0" in JSON


def _group_means(by_joint: np.ndarray, annotated: np.ndarray) -> np.ndarray:
    """Return the means over the annotated joints of each group: (..., K) and (K,) bool -> (..., groups)."""
    means = np.full((*by_joint.shape[:-1], len(GROUPS)), np.nan)
    for number, members in enumerate(GROUPS.values()):
        columns = [INDEX[joint] for joint in members if annotated[INDEX[joint]]]
        if columns:
            means[..., number] = by_joint[..., columns].mean(axis=-1)
    return means
