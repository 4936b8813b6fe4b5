"""Scores from two CSVs, annotations and predictions, for anyone's model."""

from collections import Counter
from pathlib import Path
from typing import Any, Literal

import numpy as np

from splitpose.errors import InputError
from splitpose.scoring import predictions
from splitpose.scoring.pck import normalised_errors
from splitpose.scoring.summary import summarise
from splitpose.skeleton import observer_centric

THRESHOLDS = (0.05, 0.1, 0.2)
RESAMPLES = 10_000


def score(
    annotations: Path, predicted: Path, torso: str, viewpoint: Literal["as-is", "observer"]
) -> dict[str, Any]:
    """PCK with 95 % intervals of the people in `annotations`.

    Args:
        annotations: CSV with id and joint columns, px; other columns are ignored.
        predicted: CSV likewise; a joint of a person that is missing there counts as not found.
        torso: the two joints of the torso diameter, "lsho-rhip" or "rsho-lhip".
        viewpoint: "observer" swaps the sides of annotations whose right shoulder stands right of the left one.

    Raises:
        InputError: a file cannot be read, an id stands twice, or a person has no prediction or no annotation.
    """
    ids, truth = predictions.read(annotations)
    found_ids, found = predictions.read(predicted)
    for path, names in ((annotations, ids), (predicted, found_ids)):
        name, count = Counter(names).most_common(1)[0] if names else ("", 0)
        if count > 1:
            raise InputError(f"{path}: id {name!r} stands there twice; keep one row of it")
    if missing := sorted(set(ids) - set(found_ids)):
        raise InputError(f"{predicted}: no prediction for id {missing[0]!r} ({len(missing)} missing in all)")
    if unknown := sorted(set(found_ids) - set(ids)):
        raise InputError(f"{predicted}: id {unknown[0]!r} is not in {annotations} ({len(unknown)} unknown in all)")
    place = {name: row for row, name in enumerate(found_ids)}
    found = found[[place[name] for name in ids]]
    if viewpoint == "observer":
        truth = observer_centric(truth)
    start, end = torso.split("-")
    errors = normalised_errors(truth, found, (start, end))
    predicted_joints = ~np.isnan(found).all(axis=(0, 2))
    errors[:, ~predicted_joints] = np.nan  # joints that the file has no column of are not scored
    summary = summarise(errors, THRESHOLDS, RESAMPLES, seed=0)
    return {"n": len(ids), "torso": torso, "viewpoint": viewpoint, **summary}
