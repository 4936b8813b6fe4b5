"""PCK on slices of the test set: by size, pose, side, group and number of annotations."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from splitpose.annotations import joints_of
from splitpose.evaluation.annotator_agreement import has_second_annotation
from splitpose.evaluation.bootstrap import percentile_interval
from splitpose.evaluation.pck import torso_diameter
from splitpose.evaluation.summary import by_group, resampled_scores
from splitpose.skeleton import INDEX, JOINTS, PAIRS, TORSO

MIN_INSTANCES = 30
"""Instances that a slice needs to be scored: with 30, a PCK of 90 has a 95 % interval of about 80 to 100."""

TOO_FEW = {"pck": None, "ci95": None, "note": f"fewer than {MIN_INSTANCES} people"}


@dataclass(frozen=True)
class Slice:
    """Some of the instances, or some joints of all instances."""

    name: str
    value: str
    mask: np.ndarray
    """(N, 1) bool for instances or (1, K) bool for joints."""


def score_slices(
    table: pd.DataFrame,
    errors: np.ndarray,
    threshold: float,
    resamples: int,
    seed: int,
    torso: tuple[str, str] = TORSO,
    clusters: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Return the PCK of each slice, defined by the annotations alone, with 95 % intervals.

    - torso size: thirds of the instances by torso diameter, image px.
    - wrists: whether a wrist is above its shoulder.
    - elbows: whether an elbow is bent past a right angle, as seen in the image.
    - arms: whether a wrist is past the midpoint between the shoulders, along the line through them.
    - side: the joints of one side, of all instances.
    - group: the film or session; groups of fewer than MIN_INSTANCES are merged.
    - annotated: whether another row annotates the same person (see `annotator_agreement`).

    An instance whose annotations do not determine a slice's property is in no slice of that name.

    Args:
        table: N rows of the annotation table.
        errors: (N, K) in torso diameters, in the order of `table`, NaN where not scored.
        threshold: PCK threshold in torso diameters.
        resamples: number of bootstrap resamples.
        seed: seed of the resampling.
        torso: the two joints of the torso diameter.
        clusters: (N,) bootstrap cluster of each instance; see `summarise`.

    Returns:
        For each slice {"slice": name, "value": label, "n": number of scored instances, "pck": {group: percent},
        "ci95": {group: [low, high]}, "note": None}. If n is below MIN_INSTANCES, "pck" and "ci95" are None and
        "note" states the reason; if all instances of a slice are in one cluster, "ci95" is None.
    """
    slices = [(part, np.where(part.mask, errors, np.nan)) for part in iter_slices(table, torso)]
    counts = [int(_is_scored(masked).sum()) for _, masked in slices]
    large = [masked for (_, masked), n in zip(slices, counts, strict=True) if n >= MIN_INSTANCES]
    scores = iter(resampled_scores(np.stack(large), (threshold,), resamples, seed, clusters) if large else [])
    return [
        {"slice": part.name, "value": part.value, "n": n}
        | (_summarise_slice(next(scores), masked, clusters) if n >= MIN_INSTANCES else TOO_FEW)
        for (part, masked), n in zip(slices, counts, strict=True)
    ]


def _is_scored(errors: np.ndarray) -> np.ndarray:
    """Return whether any joint of each instance is scored: (N, K) -> (N,) bool."""
    scored: np.ndarray = ~np.isnan(errors).all(axis=1)
    return scored


def _summarise_slice(scores: np.ndarray, errors: np.ndarray, clusters: np.ndarray | None) -> dict[str, Any]:
    """Summarise a slice's `resampled_scores` at one threshold; `errors` are its (N, K) errors."""
    at_threshold = scores[:, :1]
    has_interval = clusters is None or len(np.unique(clusters[_is_scored(errors)])) > 1
    ends = np.stack(percentile_interval(at_threshold), axis=-1)
    return {
        "pck": by_group(at_threshold[0])[0],
        "ci95": by_group(ends)[0] if has_interval else None,
        "note": None,
    }


def iter_slices(table: pd.DataFrame, torso: tuple[str, str]) -> Iterator[Slice]:
    """Yield the slices of the rows of an annotation table; see `score_slices`."""
    joints = joints_of(table)
    yield from _by_label("torso size", _label_thirds(torso_diameter(joints, torso)))
    yield from _by_label(
        "wrists", _label_arms(_raised(joints), "one above its shoulder", "none above its shoulder")
    )
    yield from _by_label(
        "elbows", _label_arms(_bent(joints), "one bent past a right angle", "none bent past a right angle")
    )
    yield from _by_label("arms", _label_arms(_crossed(joints), "one across the torso", "none across the torso"))
    for side, names in zip(("left", "right"), zip(*PAIRS, strict=True), strict=True):
        yield Slice("side", f"{side} joints", np.isin(JOINTS, names)[None])
    yield from _by_label("group", _label_groups(table["group"]))
    twice = has_second_annotation(table, torso)
    yield from _by_label("annotated", np.where(twice, "twice", "once").astype(object))


def _by_label(name: str, labels: np.ndarray) -> Iterator[Slice]:
    """Yield a slice for each distinct label of (N,), sorted; instances without a label (None) are in none."""
    for value in sorted({label for label in labels if label is not None}):
        yield Slice(name, value, (labels == value)[:, None])


def _label_thirds(sizes: np.ndarray) -> np.ndarray:
    """Label (N,) sizes in px by thirds; None where the size is NaN."""
    known = ~np.isnan(sizes)
    labels = np.full(len(sizes), None, object)
    if known.any():
        low, high = np.quantile(sizes[known], [1 / 3, 2 / 3])
        names = (f"small, up to {low:.0f} px", f"medium, up to {high:.0f} px", f"large, above {high:.0f} px")
        labels[known] = np.array(names, object)[np.searchsorted([low, high], sizes[known])]
    return labels


def _label_groups(groups: pd.Series) -> np.ndarray:
    """Label instances by group; small groups share one label."""
    counts = Counter(groups)
    small = {group for group, count in counts.items() if count < MIN_INSTANCES}
    merged = f"{len(small)} others of fewer than {MIN_INSTANCES} people each"
    return np.array([merged if group in small else group for group in groups], object)


def _label_arms(arms: np.ndarray, yes: str, no: str) -> np.ndarray:
    """Label instances by a property of either arm: (N, 2) of 1, 0, or NaN where unknown."""
    labels = np.full(len(arms), None, object)
    labels[(arms == 0).all(axis=1)] = no
    labels[(arms == 1).any(axis=1)] = yes
    return labels


def _raised(joints: np.ndarray) -> np.ndarray:
    """Return whether the wrist of each arm is above its shoulder; y runs down."""
    shoulder, _, wrist = _arms(joints)
    return _is_positive(shoulder[..., 1] - wrist[..., 1])


def _bent(joints: np.ndarray) -> np.ndarray:
    """Return whether the angle between upper arm and forearm is below 90 degrees (positive dot product)."""
    shoulder, elbow, wrist = _arms(joints)
    return _is_positive(((shoulder - elbow) * (wrist - elbow)).sum(axis=-1))


def _crossed(joints: np.ndarray) -> np.ndarray:
    """Return whether the wrist of each arm is past the midpoint between the shoulders, towards the other one."""
    shoulder, _, wrist = _arms(joints)
    other = shoulder[:, ::-1]
    return _is_positive(((wrist - (shoulder + other) / 2) * (other - shoulder)).sum(axis=-1))


def _arms(joints: np.ndarray) -> np.ndarray:
    """Return shoulder, elbow and wrist of the left and the right arm: (N, K, 2) -> (3, N, 2 arms, 2)."""
    return np.stack([joints[:, [INDEX[f"l{part}"], INDEX[f"r{part}"]]] for part in ("sho", "elb", "wri")])


def _is_positive(values: np.ndarray) -> np.ndarray:
    """Return 1 for positive values, 0 for others, NaN where unknown."""
    return np.where(np.isnan(values), np.nan, values > 0)
