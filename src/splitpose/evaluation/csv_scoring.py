"""PCK and OKS of a file of predictions, for the output of any model."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError
from splitpose.evaluation.instance_matching import Matching, match_instances, people_of
from splitpose.evaluation.oks import average_precision, match, match_rows
from splitpose.evaluation.pck import count_without_torso, normalised_errors
from splitpose.evaluation.person_area import person_areas
from splitpose.evaluation.pose_reader import read_annotations, read_predictions
from splitpose.evaluation.pose_set import PoseSet
from splitpose.evaluation.summary import summarise
from splitpose.skeleton import JOINTS, observer_centric

THRESHOLDS = (0.05, 0.1, 0.2)
RESAMPLES = 10_000

_DEFAULT_NAMES = JointNames()


def score(
    annotations: Path,
    predictions: Path,
    torso: str,
    viewpoint: Literal["as-is", "observer"],
    thresholds: Sequence[float] = THRESHOLDS,
    bootstrap_cluster: str | None = None,
    joint_names: JointNames = _DEFAULT_NAMES,
) -> dict[str, Any]:
    """Return PCK and the area under its curve, with 95 % intervals, and OKS AP and AR of predictions.

    Args:
        annotations: table with `id` and joint columns, px, as CSV or Parquet; a complete COCO JSON; or a file or
            folder of a labelling tool.
        predictions: the same, or COCO results; an annotated joint without a position there counts as wrong, a joint
            that the file does not have is not scored.
        torso: the two joints of the torso diameter, "lsho-rhip" or "rsho-lhip".
        viewpoint: "observer" swaps left and right of annotations whose right shoulder is right of the left one.
        thresholds: PCK thresholds in torso diameters.
        bootstrap_cluster: column of the annotations, or property of their images; rows with the same value are
            resampled together. None resamples each row independently.
        joint_names: mapping of the names of the files' keypoints.

    Returns:
        {"n": number of people, "torso", "viewpoint", "without_torso": number of people not scored because their
        torso is not annotated, "bootstrap_cluster", "pck", "ci95", "auc"}, the last three as `summarise` returns
        them; "formats" and "notes" for the user; "matching": "id" or "image"; "unmatched": number of people
        without a prediction and of predictions without a person; "images_without_predictions": number of annotated
        images without any, None if people are matched by id; "oks": see `_object_keypoint_similarity`.

    Raises:
        InputError: a file cannot be read, the ids, images or joints of the two files do not match, no row can be
            scored, or a threshold is not a positive number up to 1.
    """
    _check_thresholds(thresholds)
    truth = read_annotations(annotations, bootstrap_cluster, joint_names)
    predicted = read_predictions(predictions, truth.keypoint_names, joint_names)
    if viewpoint == "observer":
        truth = replace(truth, joints=observer_centric(truth.joints))
    # OKS compares the joints that the predictions have, as PCK does.
    compared = replace(truth, joints=np.where(predicted.columns[:, None], truth.joints, np.nan))
    areas, sources = person_areas(truth.areas, truth.boxes, truth.joints)
    matching = match_instances(compared, predicted, areas)
    start, end = torso.split("-")
    errors = normalised_errors(truth.joints[matching.people], _joints_of(predicted, matching), (start, end))
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
    clusters = None if truth.labels is None else truth.labels[matching.people]
    return {
        "n": len(errors),
        "torso": torso,
        "viewpoint": viewpoint,
        "without_torso": unscored,
        "bootstrap_cluster": bootstrap_cluster,
        **summarise(errors, thresholds, RESAMPLES, seed=0, clusters=clusters),
        "formats": {"annotations": truth.description, "predictions": predicted.description},
        "notes": [f"{file.path}: {note}" for file in (truth, predicted) for note in file.notes],
        "matching": matching.method,
        "unmatched": {
            "annotations": int((matching.predictions < 0).sum()),
            "predictions": matching.unmatched_predictions,
        },
        "images_without_predictions": matching.images_without_predictions,
        "oks": _object_keypoint_similarity(compared, predicted, matching, areas, sources),
    }


def _check_thresholds(thresholds: Sequence[float]) -> None:
    for threshold in thresholds:
        if not 0 < threshold < math.inf:
            raise InputError(f"threshold {threshold:g}: is not positive; use torso diameters, e.g. 0.2")
    if large := [threshold for threshold in thresholds if threshold > 1]:
        given, meant = (", ".join(f"{value:g}" for value in values) for values in (large, np.array(large) / 100))
        raise InputError(
            f"threshold {given}: is more than a torso diameter; use torso diameters instead of percent: {meant}"
        )


def _joints_of(predicted: PoseSet, matching: Matching) -> np.ndarray:
    """Return the predicted joints of each annotated person: (M, K, 2) px, NaN without a prediction."""
    joints: np.ndarray = predicted.joints[matching.predictions]
    joints[matching.predictions < 0] = np.nan
    return joints


def _object_keypoint_similarity(
    truth: PoseSet, predicted: PoseSet, matching: Matching, areas: np.ndarray, sources: np.ndarray
) -> dict[str, Any]:
    """Return COCO's AP and AR from OKS.

    Returns:
        {"AP", "AP50", "AP75", "AR": percent, None without people, "n": number of people, "ignored": number of
        crowds and of people without any of the joints or without an area, "joints": names of those compared,
        "scores_from": "score", "confidence" (mean of the joints) or "none" (all are 1), "without_score": number of
        predictions, whose score is 1 in the absence of one, "area_from": number of people by the origin of their
        area ("annotation", "box", "joints" or "median")}.
    """
    if matching.method == "id":
        pairs = [people_of(truth, predicted, areas, matching.people, matching.predictions)]
        matches, rows = [match_rows(*pair) for pair in pairs], matching.people
    else:
        images = matching.images
        pairs = [people_of(truth, predicted, areas, people.annotated, people.predicted) for people in images]
        matches, rows = [match(*pair) for pair in pairs], np.concatenate([people.annotated for people in images])
    ignored = np.concatenate([annotated.ignored for annotated, _ in pairs])
    values = average_precision(matches)
    return {
        **{name: None if math.isnan(value) else round(100 * value, 6) for name, value in values.items()},
        "n": int((~ignored).sum()),
        "ignored": int(ignored.sum()),
        "joints": [joint for joint, has_column in zip(JOINTS, predicted.columns, strict=True) if has_column],
        "scores_from": predicted.scores_from,
        "without_score": int((np.isnan(predicted.scores) & predicted.has_joints).sum()),
        "area_from": dict(Counter(sources[rows[~ignored]].tolist())),
    }
