"""PCK from two CSV files, annotations and predictions, for the output of any model."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from splitpose.errors import InputError
from splitpose.evaluation.joints_csv import JointsCsv, read
from splitpose.evaluation.pck import count_without_torso, normalised_errors
from splitpose.evaluation.summary import summarise
from splitpose.skeleton import observer_centric

THRESHOLDS = (0.05, 0.1, 0.2)
RESAMPLES = 10_000


def score(
    annotations: Path,
    predictions: Path,
    torso: str,
    viewpoint: Literal["as-is", "observer"],
    thresholds: Sequence[float] = THRESHOLDS,
    bootstrap_cluster: str | None = None,
) -> dict[str, Any]:
    """Return PCK and the area under its curve, with 95 % intervals, of predictions for annotated people.

    Args:
        annotations: CSV with `id` and joint columns, px; other columns are ignored.
        predictions: CSV with the same columns; an annotated joint that is empty there counts as wrong, a joint
            without columns there is not scored.
        torso: the two joints of the torso diameter, "lsho-rhip" or "rsho-lhip".
        viewpoint: "observer" swaps left and right of annotations whose right shoulder is right of the left one.
        thresholds: PCK thresholds in torso diameters.
        bootstrap_cluster: column of the annotations; rows with the same value are resampled together. None
            resamples each row independently.

    Returns:
        {"n": number of people, "torso", "viewpoint", "without_torso": number of people not scored because their
        torso is not annotated, "bootstrap_cluster", "pck", "ci95", "auc"}, the last three as `summarise` returns
        them.

    Raises:
        InputError: a file cannot be read (see `joints_csv.read`), the ids or joints of the two files do not match,
            no row can be scored, or a threshold is not a positive number.
    """
    for threshold in thresholds:
        if not 0 < threshold < math.inf:
            raise InputError(f"threshold {threshold:g}: is not positive; use torso diameters, e.g. 0.2")
    truth, predicted = read(annotations, bootstrap_cluster), read(predictions)
    rows = _match_rows(truth, predicted)
    joints = observer_centric(truth.joints) if viewpoint == "observer" else truth.joints
    start, end = torso.split("-")
    errors = normalised_errors(joints, predicted.joints[rows], (start, end))
    unscored = count_without_torso(errors)
    if unscored == len(errors):
        raise InputError(
            f"{annotations}: no row has both {start} and {end}, which the torso diameter requires; add them"
        )
    errors[:, ~predicted.columns] = np.nan
    if np.isnan(errors).all():
        raise InputError(
            f"{predictions}: none of its joints is annotated in {annotations} for a row with a torso diameter; "
            "add predictions for other joints"
        )
    return {
        "n": len(errors),
        "torso": torso,
        "viewpoint": viewpoint,
        "without_torso": unscored,
        "bootstrap_cluster": bootstrap_cluster,
        **summarise(errors, thresholds, RESAMPLES, seed=0, clusters=truth.labels),
    }


def _match_rows(truth: JointsCsv, predicted: JointsCsv) -> list[int]:
    """Return the row number of the prediction for each annotated id."""
    row_of = {name: row for row, name in enumerate(predicted.ids)}
    if missing := [name for name in truth.ids if name not in row_of]:
        raise InputError(
            f"{predicted.path}: no prediction for id {missing[0]!r} ({len(missing)} missing in all); "
            f"add a row for each id of {truth.path}"
        )
    if unknown := sorted(set(predicted.ids) - set(truth.ids)):
        raise InputError(
            f"{predicted.path}: id {unknown[0]!r} is not in {truth.path} ({len(unknown)} unknown in all); "
            "remove such rows"
        )
    return [row_of[name] for name in truth.ids]
