"""How far two annotators agree: a ceiling for any model that is scored on their annotations."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from splitpose.annotations import DUPLICATE_DISTANCE, MIN_COMMON_JOINTS, joints_of
from splitpose.evaluation.pck import normalised_errors
from splitpose.evaluation.summary import summarise


def agreement(
    table: pd.DataFrame, thresholds: tuple[float, ...], torso: str, resamples: int = 10_000, seed: int = 0
) -> dict[str, Any]:
    """PCK of one annotation of a person against another one of the same person, with 95 % intervals.

    Args:
        table: annotation table; give the test rows for what a model can reach on them.
        thresholds: in torso diameters.
        torso: the two joints of the torso diameter, "lsho-rhip" or "rsho-lhip".
        resamples: bootstrap resamples of the pictures in which somebody is annotated twice.
        seed: of the resampling.

    Returns:
        {"pairs": n, "torso", "pck", "ci95", "auc"}, the last three as `summarise` gives them, empty without pairs.
    """
    start, end = torso.split("-")
    pairs, differences = _pairs(table, (start, end))
    if len(pairs):
        pictures = table["image"].to_numpy()[pairs[:, 0]]
        found = summarise(differences, thresholds, resamples, seed, pictures)
    else:
        found = {"pck": {}, "ci95": {}, "auc": {}}
    return {"pairs": len(pairs), "torso": torso, **found}


def differences_of_pairs(table: pd.DataFrame, torso: tuple[str, str]) -> np.ndarray:
    """How far apart the joints of each two annotations of one person are: (P, K) in torso diameters.

    Two rows of a picture are one person if the joints that both have, at least MIN_COMMON_JOINTS, are less than
    DUPLICATE_DISTANCE apart on average; three such rows are three pairs. A joint's difference is the mean of its error
    with either annotation as the truth, so no annotator counts for more; it is NaN where one of them left the
    joint out. Equal joints are a copy of one annotation and no second one.
    """
    return _pairs(table, torso)[1]


def annotated_twice(table: pd.DataFrame, torso: tuple[str, str]) -> np.ndarray:
    """Whether each row has another one of the same person beside it (see `differences_of_pairs`): (N,) bool."""
    return np.isin(np.arange(len(table)), _pairs(table, torso)[0])


def _pairs(table: pd.DataFrame, torso: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the two rows of each pair, (P, 2), and their differences, (P, K)."""
    places = table.groupby("image", sort=False).indices.values()
    pairs = np.array([pair for rows in places for pair in combinations(rows, 2)], np.intp).reshape(-1, 2)
    first, second = (joints_of(table)[rows] for rows in pairs.T)
    differences: np.ndarray = (
        normalised_errors(first, second, torso) + normalised_errors(second, first, torso)
    ) / 2
    joints = np.isfinite(differences).sum(axis=1)
    mean = np.nansum(differences, axis=1) / np.maximum(joints, 1)
    one_person = (joints >= MIN_COMMON_JOINTS) & (mean > 0) & (mean < DUPLICATE_DISTANCE)
    return pairs[one_person], differences[one_person]
