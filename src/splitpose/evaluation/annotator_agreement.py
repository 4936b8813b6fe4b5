"""Annotator agreement: PCK between two annotations of the same person, an upper bound for a model's useful PCK."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from splitpose.annotations import DUPLICATE_DISTANCE, MIN_COMMON_JOINTS, joints_of
from splitpose.evaluation.pck import normalised_errors
from splitpose.evaluation.summary import summarise


def annotator_agreement(
    table: pd.DataFrame, thresholds: tuple[float, ...], torso: str, resamples: int = 10_000, seed: int = 0
) -> dict[str, Any]:
    """Return the PCK of one annotation of a person against another, with 95 % intervals over images.

    Args:
        table: rows of the annotation table; the agreement on the test split bounds a model's useful PCK there.
        thresholds: PCK thresholds in torso diameters.
        torso: the two joints of the torso diameter, "lsho-rhip" or "rsho-lhip".
        resamples: number of bootstrap resamples of the images that contain a person annotated twice.
        seed: seed of the resampling.

    Returns:
        {"pairs": number of annotation pairs, "torso", "pck", "ci95", "auc"}, the last three as `summarise` returns
        them, empty without pairs.
    """
    start, end = torso.split("-")
    pairs, distances = _find_pairs(table, (start, end))
    if len(pairs):
        clusters = table["image"].to_numpy()[pairs[:, 0]]
        metrics = summarise(distances, thresholds, resamples, seed, clusters)
    else:
        metrics = {"pck": {}, "ci95": {}, "auc": {}}
    return {"pairs": len(pairs), "torso": torso, **metrics}


def pair_distances(table: pd.DataFrame, torso: tuple[str, str]) -> np.ndarray:
    """Return the distances between the joints of two annotations of a person: (P, K) in torso diameters.

    Two rows of an image are the same person if the joints that both have, at least MIN_COMMON_JOINTS, are less than
    DUPLICATE_DISTANCE apart on average; three rows of one person form three pairs. The distance of a joint is the
    mean of its errors with either annotation as the ground truth, so neither annotator counts more; it is NaN where
    either annotation lacks the joint. Rows with equal joints are copies of one annotation and not a pair.
    """
    return _find_pairs(table, torso)[1]


def has_second_annotation(table: pd.DataFrame, torso: tuple[str, str]) -> np.ndarray:
    """Return whether another row annotates the same person (see `pair_distances`): (N,) bool."""
    return np.isin(np.arange(len(table)), _find_pairs(table, torso)[0])


def _find_pairs(table: pd.DataFrame, torso: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the row positions of each pair, (P, 2), and the distances of its joints, (P, K)."""
    rows_by_image = table.groupby("image", sort=False).indices.values()
    pairs = np.array([pair for rows in rows_by_image for pair in combinations(rows, 2)], np.intp).reshape(-1, 2)
    first, second = (joints_of(table)[rows] for rows in pairs.T)
    distances: np.ndarray = (normalised_errors(first, second, torso) + normalised_errors(second, first, torso)) / 2
    joints = np.isfinite(distances).sum(axis=1)
    mean = np.nansum(distances, axis=1) / np.maximum(joints, 1)
    same_person = (joints >= MIN_COMMON_JOINTS) & (mean > 0) & (mean < DUPLICATE_DISTANCE)
    return pairs[same_person], distances[same_person]
