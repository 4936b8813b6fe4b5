"""Scores of parts of the people: who is hard for a model, and who is worst of all."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from splitpose.annotations import joints_of
from splitpose.scoring.agreement import annotated_twice
from splitpose.scoring.bootstrap import interval
from splitpose.scoring.pck import torso_diameter
from splitpose.scoring.summary import by_group, resampled_scores
from splitpose.skeleton import INDEX, JOINTS, TORSO

FEWEST = 30
"""People that a slice needs: of 30, the 95 % interval of a PCK of 90 is about 80 to 100; of fewer it says nothing."""

WORST_ERROR = 1.0
"""Torso diameters at which an error counts no further when people are ranked: one wild joint is one wrong joint."""


@dataclass(frozen=True)
class Slice:
    """Some of the people, or some joints of all: `scored` is (N, K) bool."""

    name: str
    value: str
    scored: np.ndarray


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
    - wrists: a wrist is above its shoulder.
    - elbows: an elbow is bent by more than a right angle, as seen in the picture.
    - arms: a wrist is past the middle between the shoulders, along the line through them.
    - side: the joints of one side, of all people.
    - group: the film or session; those with fewer than FEWEST people are taken together.
    - annotated: whether another row is of the same person (see `scoring.agreement`).

    A person of whom the annotations do not tell is in no slice of that name.

    Args:
        table: N rows of the annotation table.
        errors: (N, K) in torso diameters in the order of `table`, NaN where not scored.
        threshold: in torso diameters.
        resamples, seed, clusters: as for `summarise`.
        torso: the two joints of the torso diameter.

    Returns:
        For each slice {"slice": name, "value": label, "n": people scored, "pck": {group: percent},
        "ci95": {group: [low, high]}, "note": None}. Where n is below FEWEST, "pck" and "ci95" are None and "note" says
        so; where all of n belong to one cluster, "ci95" is None and "note" says so.
    """
    found = list(_slices(table, errors.shape, torso))
    of_slices = [np.where(one.scored, errors, np.nan) for one in found]
    people = [~np.isnan(one).all(axis=1) for one in of_slices]
    enough = [number for number, who in enumerate(people) if who.sum() >= FEWEST]
    scores = np.zeros((0,))
    if enough:
        chosen = np.stack([of_slices[number] for number in enough])
        scores = resampled_scores(chosen, (threshold,), resamples, seed, clusters)[:, :, 0]
    by_number = dict(zip(enough, scores, strict=True))
    rows = []
    for number, (one, who) in enumerate(zip(found, people, strict=True)):
        row = {"slice": one.name, "value": one.value, "n": int(who.sum()), "pck": None, "ci95": None, "note": None}
        if number not in by_number:
            row["note"] = f"fewer than {FEWEST} people"
        else:
            figures = by_number[number]
            row["pck"] = by_group(figures[:1])[0]
            if clusters is not None and len(np.unique(clusters[who])) < 2:
                row["note"] = "all drawn together: no interval"
            else:
                row["ci95"] = by_group(np.stack(interval(figures[:, None]), axis=-1))[0]
        rows.append(row)
    return rows
