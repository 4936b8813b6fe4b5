"""How far a challenger is above or below another, over all test people and slice by slice: mean PCK@0.2, in points.

Legend: N people, K joints; errors are in torso diameters, NaN where not scored, of the same people in order.
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

AT = 0.2
"""Torso diameters: the headline's threshold."""

MEAN = list(GROUPS).index("mean")

CHANCE = 5.0
"""Percent: how often chance alone may tell any slice from none at all, over all slices together."""


@dataclass(frozen=True)
class Difference:
    """Points, below zero where the challenger scores lower, over `people` test people, and their interval.

    There is no interval where these people are all resampled together.
    """

    name: str
    people: int
    points: float
    interval: tuple[float, float] | None

    @property
    def is_a_loss(self) -> bool:
        """Whether the challenger scores lower, told from chance."""
        return self.interval is not None and self.interval[1] < 0


def score(errors: np.ndarray) -> float:
    """Mean PCK@0.2 of (N, K) errors, percent."""
    return round(float(np.nanmean(pck(errors, AT))), 3)


def difference(champion: np.ndarray, challenger: np.ndarray, clusters: np.ndarray, scoring: Scoring) -> Difference:
    """Of all people, with a 95 % interval; `clusters` (N,) tells who is resampled together.

    Raises InputError where the two are not scored on the same joints of the same people.
    """
    errors = {"champion": champion, "challenger": challenger}
    (compared,) = paired_differences(errors, (AT,), scoring.resamples, scoring.seed, clusters)
    of_mean = compared["pck"][f"{AT:g}"]["mean"]
    interval = tuple(of_mean["ci95"]) if of_mean["ci95"] else None
    return Difference("all test people", len(clusters), of_mean["difference"], interval)


def slice_differences(
    rows: pd.DataFrame, champion: np.ndarray, challenger: np.ndarray, clusters: np.ndarray, scoring: Scoring
) -> list[Difference]:
    """Of every slice that has enough people (see `scoring.slices`); `rows` are theirs of the annotation table.

    Each of S slices has an interval of 100 - CHANCE / S %. With 95 % each, some slice of two equal models would be
    found to be worse every third time (tried on 19 slices of the sample).
    """
    both = np.stack([champion, challenger])
    large = []
    for one in slices.iter_slices(rows, scoring.torso_joints):
        part = np.where(one.mask, both, np.nan)
        scored = ~np.isnan(part[0]).all(axis=1)
        if scored.sum() >= slices.MIN_INSTANCES:
            large.append((f"{one.name}: {one.value}", part[:, scored], clusters[scored]))
    return [
        Difference(name, len(labels), *_difference(part, labels, scoring, CHANCE / len(large)))
        for name, part, labels in large
    ]


def _difference(
    errors: np.ndarray, clusters: np.ndarray, scoring: Scoring, chance: float
) -> tuple[float, tuple[float, float] | None]:
    """Of the second from the first of (2, N, K) errors, and its interval of 100 - `chance` %, on same resamples."""
    scores = resampled_scores(errors, (AT,), scoring.resamples, scoring.seed, clusters)[:, :, 0, MEAN]
    differences = scores[1] - scores[0]
    if len(np.unique(clusters)) < 2:
        return rounded(differences[0]), None
    low, high = np.nanpercentile(differences[1:], [chance / 2, 100 - chance / 2])
    return rounded(differences[0]), (rounded(low), rounded(high))


def mean_pose(people: Sequence[Instance]) -> np.ndarray:
    """The people's mean pose in their squares, given for each of them: (N, K, 2) px of the pictures.

    It is what a model says that learned nothing but where joints usually are.
    """
    joints = np.stack([person.joints for person in people])
    middles = np.array([[person.region.x, person.region.y] for person in people])[:, None]
    sides = np.array([person.region.side for person in people])[:, None, None]
    in_squares = (joints - middles) / sides
    with np.errstate(invalid="ignore"):  # a joint that nobody has
        mean = np.nansum(in_squares, axis=0) / np.isfinite(in_squares).sum(axis=0)
    found: np.ndarray = mean * sides + middles
    return found
