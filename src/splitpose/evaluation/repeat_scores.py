"""Scores of a variant that was trained several times: mean over the repeats, range, and intervals over both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from splitpose.evaluation.bootstrap import count_clusters
from splitpose.evaluation.seed_variation import describe_variation, estimate_score
from splitpose.evaluation.summary import GROUPS, by_group, resampled_scores, rounded, threshold_keys


@dataclass(frozen=True)
class RepeatScores:
    """Scores over several repeats: the mean over the repeats, and its 95 % intervals over people and seeds.

    Values and intervals are None where no instance has any of a group's joints annotated; intervals are also None
    if all instances are in one bootstrap cluster.
    """

    summary: dict[str, Any]
    """{"pck", "ci95", "auc"} as `summarise` returns them."""
    by_repeat: list[float | None]
    """Mean PCK@0.2 in percent of each repeat."""
    ranges: dict[str, Any]
    """The lowest and the highest repeat: {"pck_range": {threshold: {group: [low, high]}}, "auc_range": {largest
    threshold: {group: [low, high]}}}."""
    variation: dict[str, Any]
    """How the PCK varies: {threshold: {group: {"score", "range", "ci95", "se_people", "se_seeds", "ci95_people"}}};
    see `describe_variation`."""


def score_repeats(
    errors: np.ndarray, thresholds: Sequence[float], resamples: int, seed: int, clusters: np.ndarray | None = None
) -> RepeatScores:
    """Score a variant that was trained several times.

    Args:
        errors: (S, N, K) of S repeats in torso diameters, NaN where not scored.
        thresholds: PCK thresholds, with 0.2 among them; these and the arguments below are as for `summarise`.
        resamples: number of bootstrap resamples.
        seed: seed of the resampling.
        clusters: (N,) bootstrap cluster of each instance.
    """
    scores = resampled_scores(errors, thresholds, resamples, seed, clusters)
    estimate = estimate_score(scores, count_clusters(errors.shape[1], clusters))
    *values, area = by_group(estimate.value)
    *intervals, area_interval = by_group(np.stack(estimate.interval, axis=-1))
    lowest_highest = np.stack([scores[:, 0].min(axis=0), scores[:, 0].max(axis=0)], axis=-1)
    *ranges, area_range = by_group(lowest_highest)
    keys, limit = threshold_keys(thresholds), f"{max(thresholds):g}"
    pck, ci95, pck_range = (dict(zip(keys, rows, strict=True)) for rows in (values, intervals, ranges))
    headline = scores[:, 0, keys.index("0.2"), list(GROUPS).index("mean")]
    return RepeatScores(
        summary={"pck": pck, "ci95": ci95, "auc": {limit: {**area, "ci95": area_interval}}},
        by_repeat=[rounded(score) for score in headline],
        ranges={"pck_range": pck_range, "auc_range": {limit: area_range}},
        variation={
            key: {
                group: {"score": pck[key][group], "range": pck_range[key][group], "ci95": ci95[key][group]}
                | describe_variation(estimate, row, column)
                for column, group in enumerate(GROUPS)
            }
            for row, key in enumerate(keys)
        },
    )
