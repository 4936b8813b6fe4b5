"""Differences in mean PCK@0.2 between a challenger and a reference, over all test instances and by slice.

Shapes: N instances, K joints. Errors are in torso diameters, NaN where not scored, for the same instances in the
same order. Differences are in percentage points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from splitpose.crops.instances import Instance
from splitpose.evaluation import slices
from splitpose.evaluation.paired_differences import paired_differences
from splitpose.evaluation.pck import pck
from splitpose.evaluation.summary import GROUPS, resampled_scores, rounded
from splitpose.settings import Scoring

THRESHOLD = 0.2
"""PCK threshold in torso diameters."""

MEAN = list(GROUPS).index("mean")

FAMILYWISE_ERROR = 5.0
"""Probability in percent that any slice of two equal models shows a significant difference."""


@dataclass(frozen=True)
class Difference:
    """A difference in mean PCK@0.2 over some test instances; negative if the challenger scores lower."""

    name: str
    instances: int
    points: float
    interval: tuple[float, float] | None
    """Confidence interval; None if all instances are in one bootstrap cluster."""

    @property
    def is_significant_loss(self) -> bool:
        """Whether the whole interval is below zero."""
        return self.interval is not None and self.interval[1] < 0


def score(errors: np.ndarray) -> float:
    """Return the mean PCK@0.2 of (N, K) errors in percent."""
    return round(float(np.nanmean(pck(errors, THRESHOLD))), 3)


def difference(reference: np.ndarray, challenger: np.ndarray, clusters: np.ndarray, scoring: Scoring) -> Difference:
    """Return the difference over all instances with a 95 % interval.

    Args:
        reference: (N, K) errors of the champion or the mean pose.
        challenger: (N, K) errors of the challenger.
        clusters: (N,) bootstrap cluster of each instance.
        scoring: settings of the bootstrap.

    Raises:
        InputError: the two are not scored on the same joints of the same instances.
    """
    errors = {"champion": reference, "challenger": challenger}
    (comparison,) = paired_differences(errors, (THRESHOLD,), scoring.resamples, scoring.seed, clusters)
    mean = comparison["pck"][f"{THRESHOLD:g}"]["mean"]
    interval = tuple(mean["ci95"]) if mean["ci95"] else None
    return Difference("all test instances", len(clusters), mean["difference"], interval)


def slice_differences(
    rows: pd.DataFrame, reference: np.ndarray, challenger: np.ndarray, clusters: np.ndarray, scoring: Scoring
) -> list[Difference]:
    """Return the difference for every slice that has enough instances (see `evaluation.slices`).

    Each of S slices has an interval of 100 - FAMILYWISE_ERROR / S percent (Bonferroni correction). With intervals
    of 95 %, every third comparison of two equal models would show a loss in some slice (observed on the 19 slices
    of the sample).

    Args:
        rows: the N instances' rows of the annotation table; the other arguments are as for `difference`.
    """
    errors = np.stack([reference, challenger])
    parts = []
    for part in slices.iter_slices(rows, scoring.torso_joints):
        part_errors = np.where(part.mask, errors, np.nan)
        scored = ~np.isnan(part_errors[0]).all(axis=1)
        if scored.sum() >= slices.MIN_INSTANCES:
            parts.append((f"{part.name}: {part.value}", part_errors[:, scored], clusters[scored]))
    return [
        Difference(
            name, len(labels), *_slice_difference(part_errors, labels, scoring, FAMILYWISE_ERROR / len(parts))
        )
        for name, part_errors, labels in parts
    ]


def _slice_difference(
    errors: np.ndarray, clusters: np.ndarray, scoring: Scoring, alpha: float
) -> tuple[float, tuple[float, float] | None]:
    """Return the difference between two sets of errors, (2, N, K), and its interval of 100 - `alpha` percent."""
    scores = resampled_scores(errors, (THRESHOLD,), scoring.resamples, scoring.seed, clusters)[:, :, 0, MEAN]
    differences = scores[1] - scores[0]
    if len(np.unique(clusters)) < 2:
        return rounded(differences[0]), None
    low, high = np.nanpercentile(differences[1:], [alpha / 2, 100 - alpha / 2])
    return rounded(differences[0]), (rounded(low), rounded(high))


def mean_pose(instances: Sequence[Instance]) -> np.ndarray:
    """Return the instances' mean pose within their crop regions as a prediction for each: (N, K, 2) image px.

    A model that has learned only the average position of each joint predicts it.
    """
    joints = np.stack([instance.joints for instance in instances])
    centres = np.array([[instance.region.x, instance.region.y] for instance in instances])[:, None]
    sides = np.array([instance.region.side for instance in instances])[:, None, None]
    normalised = (joints - centres) / sides
    with np.errstate(invalid="ignore"):  # a joint that is never annotated
        mean = np.nansum(normalised, axis=0) / np.isfinite(normalised).sum(axis=0)
    predictions: np.ndarray = mean * sides + centres
    return predictions
