"""Selection of test instances for the report: each variant's best, median and worst, and those hardest for all."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from splitpose.errors import InputError
from splitpose.evaluation.pck import mean_instance_errors

MAX_ERROR = 1.0
"""Torso diameters at which errors are clipped to rank hard instances, so that no outlier joint dominates."""


def select_instances(
    ids: Sequence[str], errors: Mapping[str, np.ndarray], per_variant: int, hardest: int
) -> dict[str, Any]:
    """Select instances to show for each variant, and those that are hardest for all variants.

    Args:
        ids: ids of N instances.
        errors: (N, K) of each variant in torso diameters, NaN where not scored.
        per_variant: number of instances for each variant; see `select_by_error`.
        hardest: number of hardest instances; see `select_hardest`.

    Returns:
        {"variants": {name: [{"id", "group", "error"}]}, "hardest": [{"id", "errors": {name: error}}]}; an error is
        the mean over an instance's joints in torso diameters, None if a joint was not predicted.

    Raises:
        InputError: no instance is scored.
    """
    means = {name: mean_instance_errors(variant_errors) for name, variant_errors in errors.items()}
    clipped = np.mean([np.minimum(variant_errors, MAX_ERROR) for variant_errors in errors.values()], axis=0)
    return {
        "variants": {
            name: [
                {"id": str(ids[n]), "group": group, "error": _round(values[n])}
                for group, n in select_by_error(values, per_variant)
            ]
            for name, values in means.items()
        },
        "hardest": [
            {"id": str(ids[n]), "errors": {name: _round(values[n]) for name, values in means.items()}}
            for n in select_hardest(clipped, hardest)
        ],
    }


def select_by_error(errors: np.ndarray, count: int) -> list[tuple[str, int]]:
    """Select a third each of the instances with the smallest, the median and the largest errors.

    Args:
        errors: (N,) mean error of each instance, NaN where not scored.
        count: number of instances to select at most; fewer than three are not grouped.

    Returns:
        (group, index) in order of increasing error; the group is "smallest", "median", "largest" or "all".

    Raises:
        InputError: no instance is scored.
    """
    order = np.argsort(errors, kind="stable")
    order = order[: int((~np.isnan(errors)).sum())]
    if not len(order):
        raise InputError("predictions: no test instance has a scored joint")
    third = min(count, len(order)) // 3
    if third == 0:
        return [("all", int(n)) for n in order[:count]]
    start = (len(order) - third) // 2
    groups = {"smallest": order[:third], "median": order[start : start + third], "largest": order[-third:]}
    return [(group, int(n)) for group, members in groups.items() for n in members]


def select_hardest(errors: np.ndarray, count: int) -> list[int]:
    """Return the indices of the instances with the largest mean errors, the largest first.

    Instances with fewer than half of the joints that are annotated at all are excluded: the mean over one joint
    describes a person poorly.

    Args:
        errors: (N, K) in torso diameters, NaN where not scored, with outliers clipped.
        count: number of instances to select at most.
    """
    scored = ~np.isnan(errors)
    joints = scored.sum(axis=1)
    eligible = np.flatnonzero((joints > 0) & (joints >= scored.any(axis=0).sum() / 2))
    means = mean_instance_errors(errors[eligible])
    return [int(n) for n in eligible[np.argsort(-means, kind="stable")[:count]]]


def _round(error: float) -> float | None:
    """Round an error to six decimals; None if it is infinite or NaN."""
    return round(float(error), 6) if np.isfinite(error) else None
