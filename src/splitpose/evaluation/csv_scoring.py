"""Scores from two CSVs, annotations and predictions, for anyone's model."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from splitpose.errors import InputError
from splitpose.evaluation.joints_csv import JointsFile, read
from splitpose.evaluation.pck import normalised_errors, without_torso
from splitpose.evaluation.summary import summarise
from splitpose.skeleton import observer_centric

THRESHOLDS = (0.05, 0.1, 0.2)
RESAMPLES = 10_000


def score(
    annotations: Path,
    predicted: Path,
    torso: str,
    viewpoint: Literal["as-is", "observer"],
    thresholds: Sequence[float] = THRESHOLDS,
    cluster: str | None = None,
) -> dict[str, Any]:
    """PCK and the area under its curve, with 95 % intervals, of the people in `annotations`.

    Args:
        annotations: CSV with id and joint columns, px; other columns are ignored.
        predicted: CSV likewise; an annotated joint that is empty there counts as not found, a joint without columns
            there is not scored.
        torso: the two joints of the torso diameter, "lsho-rhip" or "rsho-lhip".
        viewpoint: "observer" swaps the sides of annotations whose right shoulder stands right of the left one.
        thresholds: in torso diameters.
        cluster: column of the annotations; people who share its value are resampled together. None: each alone.

    Returns:
        {"n": people, "torso", "viewpoint", "without_torso": how many of them are not scored because no torso is
        annotated, "cluster", "pck", "ci95", "auc"}, the last three as `summarise` gives them.

    Raises:
        InputError: a file cannot be read (see `joints_csv.read`), ids or joints of the two do not meet, nobody can
            be scored, or a threshold is no number above zero.
    """
    for threshold in thresholds:
        if not 0 < threshold < math.inf:
            raise InputError(f"threshold {threshold:g}: give torso diameters above 0, e.g. 0.2")
    truth, found = read(annotations, cluster), read(predicted)
    rows = _rows_in_order(truth, found)
    joints = observer_centric(truth.joints) if viewpoint == "observer" else truth.joints
    start, end = torso.split("-")
    errors = normalised_errors(joints, found.joints[rows], (start, end))
    unscored = without_torso(errors)
    if unscored == len(errors):
        raise InputError(
            f"{annotations}: nobody has both {start} and {end}, from which the torso is measured; add them"
        )
    errors[:, ~found.columns] = np.nan
    if np.isnan(errors).all():
        raise InputError(
            f"{predicted}: nobody with a torso has any of its joints in {annotations}; give others too"
        )
    return {
        "n": len(errors),
        "torso": torso,
        "viewpoint": viewpoint,
        "without_torso": unscored,
        "cluster": cluster,
        **summarise(errors, thresholds, RESAMPLES, seed=0, clusters=truth.labels),
    }


def _rows_in_order(truth: JointsFile, found: JointsFile) -> list[int]:
    """Row of the predictions of each annotated person."""
    place = {name: row for row, name in enumerate(found.ids)}
    if missing := [name for name in truth.ids if name not in place]:
        raise InputError(
            f"{found.path}: no prediction for id {missing[0]!r} ({len(missing)} missing in all); "
            f"add a row for each id of {truth.path}"
        )
    if unknown := sorted(set(found.ids) - set(truth.ids)):
        raise InputError(
            f"{found.path}: id {unknown[0]!r} is not in {truth.path} ({len(unknown)} unknown in all); "
            "leave such rows out"
        )
    return [place[name] for name in truth.ids]
