"""Scores of parts of the people: who is hard for a model, and who is worst of all."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from splitpose.annotations import joints_of
from splitpose.evaluation.annotator_agreement import annotated_twice
from splitpose.evaluation.bootstrap import interval
from splitpose.evaluation.pck import torso_diameter
from splitpose.evaluation.summary import by_group, resampled_scores
from splitpose.skeleton import INDEX, JOINTS, PAIRS, TORSO

MIN_INSTANCES = 30
"""People that a slice needs: with 30, a PCK of 90 has a 95 % interval of about 80 to 100; fewer say nothing."""

WORST_ERROR = 1.0
"""Torso diameters from which on a larger error counts no more in `worst`: one wild joint is one wrong joint."""

TOO_FEW = {"pck": None, "ci95": None, "note": f"fewer than {MIN_INSTANCES} people"}


@dataclass(frozen=True)
class Slice:
    """Some of the people, or some joints of all: `chosen` is (N, 1) or (1, K) bool."""

    name: str
    value: str
    chosen: np.ndarray


def slices(
    table: pd.DataFrame,
    errors: np.ndarray,
    threshold: float,
    resamples: int,
    seed: int,
    torso: tuple[str, str] = TORSO,
    clusters: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """PCK of parts of the people, told apart by the annotations alone, with 95 % intervals.

    - torso size: thirds of the people by torso diameter, px of the picture.
    - wrists: whether one is above its shoulder.
    - elbows: whether one is bent past a right angle, as seen in the picture.
    - arms: whether a wrist is past the middle between the shoulders, along the line through them.
    - side: the joints of one side, of all people.
    - group: the film or session; those of fewer than FEWEST people are taken together.
    - annotated: whether another row is of the same person (see `scoring.agreement`).

    A person of whom the annotations do not tell is in no slice of that name.

    Args:
        table: N rows of the annotation table.
        errors: (N, K) in torso diameters, in the order of `table`, NaN where not scored.
        threshold: in torso diameters.
        resamples, seed, clusters: as for `summarise`.
        torso: the two joints of the torso diameter.

    Returns:
        For each slice {"slice": name, "value": label, "n": people scored, "pck": {group: percent},
        "ci95": {group: [low, high]}, "note": None}. Where n is below FEWEST, "pck" and "ci95" are None and "note"
        says so; where the people of a slice are all of one cluster, "ci95" is None.
    """
    parts = [(one, np.where(one.chosen, errors, np.nan)) for one in parts_of(table, torso)]
    people = [int(_scored(part).sum()) for _, part in parts]
    large = [part for (_, part), n in zip(parts, people, strict=True) if n >= MIN_INSTANCES]
    scores = iter(resampled_scores(np.stack(large), (threshold,), resamples, seed, clusters) if large else [])
    return [
        {"slice": one.name, "value": one.value, "n": n}
        | (_figures(next(scores), part, clusters) if n >= MIN_INSTANCES else TOO_FEW)
        for (one, part), n in zip(parts, people, strict=True)
    ]


def worst(ids: Sequence[str], errors: np.ndarray, count: int) -> list[dict[str, Any]]:
    """The people who were predicted worst, the worst first, for pictures.

    They are ranked by the mean error over their scored joints, each counted up to WORST_ERROR. People with fewer
    than half of the joints that anybody has are passed over: the mean of one joint says little of a person.

    Args:
        ids: of N people.
        errors: (N, K) in torso diameters, NaN where not scored.
        count: how many to return at most.

    Returns:
        For each {"id", "error": mean in torso diameters, "joints": how many are scored}.
    """
    scored = ~np.isnan(errors)
    joints = scored.sum(axis=1)
    total = np.where(scored, np.minimum(errors, WORST_ERROR), 0.0).sum(axis=1)
    enough = np.flatnonzero((joints > 0) & (joints >= scored.any(axis=0).sum() / 2))
    mean = total[enough] / joints[enough]
    return [
        {"id": str(ids[enough[n]]), "error": round(float(mean[n]), 4), "joints": int(joints[enough[n]])}
        for n in np.argsort(-mean, kind="stable")[:count]
    ]


def _scored(part: np.ndarray) -> np.ndarray:
    """Whether any joint of each person is scored: (N, K) -> (N,)."""
    anything: np.ndarray = ~np.isnan(part).all(axis=1)
    return anything


def _figures(scores: np.ndarray, part: np.ndarray, clusters: np.ndarray | None) -> dict[str, Any]:
    """What is told of a slice: its `resampled_scores` at one threshold, and the (N, K) errors that they are of."""
    at_threshold = scores[:, :1]
    several = clusters is None or len(np.unique(clusters[_scored(part)])) > 1
    return {
        "pck": by_group(at_threshold[0])[0],
        "ci95": by_group(np.stack(interval(at_threshold), axis=-1))[0] if several else None,
        "note": None,
    }


def parts_of(table: pd.DataFrame, torso: tuple[str, str]) -> Iterator[Slice]:
    """The slices of the rows of an annotation table; see `slices`."""
    joints = joints_of(table)
    yield from _of_people("torso size", _thirds(torso_diameter(joints, torso)))
    yield from _of_people("wrists", _any_arm(_raised(joints), "one above its shoulder", "none above its shoulder"))
    yield from _of_people(
        "elbows", _any_arm(_bent(joints), "one bent past a right angle", "none bent past a right angle")
    )
    yield from _of_people("arms", _any_arm(_across(joints), "one across the trunk", "none across the trunk"))
    for side, names in zip(("left", "right"), zip(*PAIRS, strict=True), strict=True):
        yield Slice("side", f"{side} joints", np.isin(JOINTS, names)[None])
    yield from _of_people("group", _groups(table["group"]))
    twice = annotated_twice(table, torso)
    yield from _of_people("annotated", np.where(twice, "twice", "once").astype(object))


def _of_people(name: str, labels: np.ndarray) -> Iterator[Slice]:
    """A slice for each of (N,) labels, in order; people without one (None) are in none."""
    for value in sorted({label for label in labels if label is not None}):
        yield Slice(name, value, (labels == value)[:, None])


def _thirds(sizes: np.ndarray) -> np.ndarray:
    """Labels of (N,) px, NaN where unknown."""
    known = ~np.isnan(sizes)
    labels = np.full(len(sizes), None, object)
    if known.any():
        low, high = np.quantile(sizes[known], [1 / 3, 2 / 3])
        names = (f"small, up to {low:.0f} px", f"middling, to {high:.0f} px", f"large, above {high:.0f} px")
        labels[known] = np.array(names, object)[np.searchsorted([low, high], sizes[known])]
    return labels


def _groups(groups: pd.Series) -> np.ndarray:
    """Labels of the groups; the small ones share one."""
    people = Counter(groups)
    small = {group for group, count in people.items() if count < MIN_INSTANCES}
    together = f"{len(small)} others of fewer than {MIN_INSTANCES} people each"
    return np.array([together if group in small else group for group in groups], object)


def _any_arm(arms: np.ndarray, yes: str, no: str) -> np.ndarray:
    """Labels of people from what holds of each arm: (N, 2) of 1, 0, or NaN where unknown."""
    labels = np.full(len(arms), None, object)
    labels[(arms == 0).all(axis=1)] = no
    labels[(arms == 1).any(axis=1)] = yes
    return labels


def _raised(joints: np.ndarray) -> np.ndarray:
    """Whether the wrist of each arm is above its shoulder; y runs down."""
    shoulder, _, wrist = _arms(joints)
    return _above_zero(shoulder[..., 1] - wrist[..., 1])


def _bent(joints: np.ndarray) -> np.ndarray:
    """Whether the angle between upper arm and forearm is below 90 degrees: their product is above zero."""
    shoulder, elbow, wrist = _arms(joints)
    return _above_zero(((shoulder - elbow) * (wrist - elbow)).sum(axis=-1))


def _across(joints: np.ndarray) -> np.ndarray:
    """Whether the wrist of each arm is past the middle between the shoulders, towards the other shoulder."""
    shoulder, _, wrist = _arms(joints)
    other = shoulder[:, ::-1]
    return _above_zero(((wrist - (shoulder + other) / 2) * (other - shoulder)).sum(axis=-1))


def _arms(joints: np.ndarray) -> np.ndarray:
    """Shoulder, elbow, wrist of the left and the right arm: (N, K, 2) -> (3, N, 2 arms, 2)."""
    return np.stack([joints[:, [INDEX[f"l{part}"], INDEX[f"r{part}"]]] for part in ("sho", "elb", "wri")])


def _above_zero(values: np.ndarray) -> np.ndarray:
    """1 or 0, NaN where unknown."""
    return np.where(np.isnan(values), np.nan, values > 0)
