"""Scores of a set of predictions with bootstrap intervals: the figures that metrics files and tables hold."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from splitpose.evaluation.bootstrap import interval, resampled_sums
from splitpose.evaluation.pck import area_of_each
from splitpose.skeleton import INDEX, JOINTS

GROUPS: dict[str, tuple[str, ...]] = {
    "mean": JOINTS,
    "elbow": ("lelb", "relb"),
    "wrist": ("lwri", "rwri"),
    **{joint: (joint,) for joint in JOINTS},
}
"""What is reported: each is the mean of the scores of those of its joints that somebody has annotated."""


def summarise(
    errors: np.ndarray, thresholds: Sequence[float], resamples: int, seed: int, clusters: np.ndarray | None = None
) -> dict[str, Any]:
    """PCK, the area under its curve, and their 95 % bootstrap intervals over people.

    Args:
        errors: (N, K) in torso diameters, NaN where not scored.
        thresholds: in torso diameters; the area runs from 0 to the largest.
        resamples: bootstrap resamples of the people.
        seed: of the resampling.
        clusters: (N,) labels; people who share one are resampled together, e.g. those of one picture.

    Returns:
        {"pck": {threshold: {group: percent}}, "ci95": {threshold: {group: [low, high]}},
        "auc": {largest threshold: {group: percent, "ci95": {group: [low, high]}}}}; None instead of a figure or a
        pair where nobody has any of the group's joints annotated.
    """
    scores = resampled_scores(errors[None], thresholds, resamples, seed, clusters)[0]
    *found, area = by_group(scores[0])
    *intervals, area_interval = by_group(np.stack(interval(scores), axis=-1))
    names = names_of(thresholds)
    return {
        "pck": dict(zip(names, found, strict=True)),
        "ci95": dict(zip(names, intervals, strict=True)),
        "auc": {f"{max(thresholds):g}": {**area, "ci95": area_interval}},
    }


def resampled_scores(
    errors: np.ndarray, thresholds: Sequence[float], resamples: int, seed: int, clusters: np.ndarray | None = None
) -> np.ndarray:
    """Scores of the people as they are and of every resample of them, the same resamples for all sets of errors.

    Args:
        errors: (V, N, K) in torso diameters, NaN where not scored: V sets over the same people.
        thresholds: T of them; the rest as for `summarise`.

    Returns:
        (V, 1 + resamples, T + 1, groups) percent: PCK at each threshold, then the area under the curve, of each of
        GROUPS; NaN where nobody has any of a group's joints annotated.
    """
    sets, people, joints = errors.shape
    credits = [~np.isnan(errors), *(errors <= at for at in thresholds), area_of_each(errors, max(thresholds))]
    columns = np.stack(credits).transpose(2, 1, 0, 3)  # people, sets, credits, joints
    sums = resampled_sums(columns.reshape(people, -1), resamples, seed, clusters)
    scored, credit = np.split(sums.reshape(-1, sets, len(credits), joints), [1], axis=2)
    with np.errstate(invalid="ignore"):
        by_joint = 100.0 * credit / scored
    return np.stack([_means(by_joint[:, one], scored[0, one, 0] > 0) for one in range(sets)])


def names_of(thresholds: Sequence[float]) -> list[str]:
    """Thresholds as they stand in JSON, "0.2"."""
    return [f"{threshold:g}" for threshold in thresholds]


def by_group(values: np.ndarray) -> list[dict[str, Any]]:
    """Of each of the rows (M, groups) or (M, groups, 2): {group: rounded number or pair}, None where NaN."""
    return [{group: rounded(value) for group, value in zip(GROUPS, row, strict=True)} for row in values]


def rounded(value: np.ndarray) -> Any:
    """A number, or an array as a list of numbers, to three decimals; None for NaN."""
    return None if np.isnan(value).any() else (np.round(value, 3) + 0.0).tolist()  # + 0.0: no "-0.0" in JSON


def _means(by_joint: np.ndarray, annotated: np.ndarray) -> np.ndarray:
    """Means over the joints of each group that are annotated: (..., K) and (K,) -> (..., groups)."""
    means = np.full((*by_joint.shape[:-1], len(GROUPS)), np.nan)
    for number, members in enumerate(GROUPS.values()):
        columns = [INDEX[joint] for joint in members if annotated[INDEX[joint]]]
        if columns:
            means[..., number] = by_joint[..., columns].mean(axis=-1)
    return means
