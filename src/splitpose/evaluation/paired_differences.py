"""Which of two variants is better on the same people: differences of their scores with intervals, and a verdict."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np

from splitpose.errors import InputError
from splitpose.evaluation.bootstrap import interval
from splitpose.evaluation.summary import GROUPS, names_of, resampled_scores, rounded

ValidationResult = Literal["better", "worse", "not distinguishable"]


def paired_differences(
    errors: Mapping[str, np.ndarray],
    thresholds: Sequence[float],
    resamples: int,
    seed: int,
    clusters: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Every two variants compared on the same resamples of the same people.

    What makes a person hard for both falls out of the difference, so its interval is narrower than those of the two
    scores suggest. Each interval is a 95 % one on its own: of many comparisons, some exclude zero by chance.

    Args:
        errors: of each variant (N, K) in torso diameters, NaN where not scored, all of the same people in order.
        thresholds, resamples, seed, clusters: as for `summarise`.

    Returns:
        For each two variants, the later of `errors` against the earlier: {"variant", "against", "n",
        "pck": {threshold: {group: {"difference", "ci95", "verdict"}}}, "auc": {largest threshold: {group: ..}}}.
        Differences are in points of percent, above zero where `variant` scores higher; None where nobody has any of
        the group's joints annotated. Where all people are of one cluster there is no interval and no verdict.

    Raises InputError where two variants are not scored on the same joints of the same people.
    """
    _check_same_people(errors)
    several = len(np.unique(clusters)) > 1 if clusters is not None else len(next(iter(errors.values()))) > 1
    scores = dict(
        zip(
            errors,
            resampled_scores(np.stack(list(errors.values())), thresholds, resamples, seed, clusters),
            strict=True,
        )
    )
    return [
        {"variant": variant, "against": against, "n": len(errors[variant])}
        | _compared(scores[variant] - scores[against], thresholds, several)
        for against, variant in combinations(errors, 2)
    ]


def verdict(low: float, high: float) -> ValidationResult:
    """What an interval of differences says: whether it excludes zero, and on which side."""
    if low > 0:
        return "better"
    return "worse" if high < 0 else "not distinguishable"


def _check_same_people(errors: Mapping[str, np.ndarray]) -> None:
    first, *others = errors
    for other in others:
        if not np.array_equal(np.isnan(errors[first]), np.isnan(errors[other])):
            raise InputError(
                f"{other} and {first} are not scored on the same joints of the same people; score both anew"
            )


def _compared(differences: np.ndarray, thresholds: Sequence[float], several: bool) -> dict[str, Any]:
    """Of (1 + resamples, T + 1, groups) differences: those at each threshold, and those of the area."""
    intervals = np.stack(interval(differences), axis=-1)
    *found, area = (
        {
            group: _difference(*of_group, several)
            for group, of_group in zip(GROUPS, zip(values, ends, strict=True), strict=True)
        }
        for values, ends in zip(differences[0], intervals, strict=True)
    )
    return {"pck": dict(zip(names_of(thresholds), found, strict=True)), "auc": {f"{max(thresholds):g}": area}}


def _difference(value: np.ndarray, ends: np.ndarray, several: bool) -> dict[str, Any] | None:
    """Rounded first, so that the verdict is that of the figures that are shown."""
    if np.isnan(value):
        return None
    if not several:
        return {"difference": rounded(value), "ci95": None, "verdict": "not distinguishable"}
    ci95 = rounded(ends)
    return {"difference": rounded(value), "ci95": ci95, "verdict": verdict(*ci95)}
