"""Percentage of Correct Keypoints (PCK) as published for FLIC, in NumPy alone.

Legend: N instances (annotated people), K joints. A joint that is not annotated, or whose instance has no torso, is
NaN and counts in neither numerator nor denominator.
"""

import numpy as np

from splitpose.skeleton import INDEX, TORSO


def torso_diameter(truth: np.ndarray, torso: tuple[str, str] = TORSO) -> np.ndarray:
    """Return the distance between the two torso joints: (N, K, 2) px -> (N,) px."""
    start, end = (truth[:, INDEX[joint]] for joint in torso)
    diameter: np.ndarray = np.linalg.norm(start - end, axis=-1)
    return diameter


def normalised_errors(truth: np.ndarray, predicted: np.ndarray, torso: tuple[str, str] = TORSO) -> np.ndarray:
    """Return the distance of each predicted joint from the annotated one, in torso diameters of the ground truth.

    Args:
        truth: (N, K, 2) px, NaN where not annotated.
        predicted: (N, K, 2) px; a missing prediction of an annotated joint (NaN) has an infinite error.
        torso: the two joints of the torso diameter.

    Returns:
        (N, K) float64, NaN where not scored.
    """
    distance = np.linalg.norm(predicted - truth, axis=-1)
    diameter = torso_diameter(truth, torso)
    usable = np.isfinite(truth).all(axis=-1) & (diameter > 0)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = distance / diameter[:, None]
    return np.where(usable, np.where(np.isnan(errors), np.inf, errors), np.nan)


def count_without_torso(errors: np.ndarray) -> int:
    """Count the instances that are not scored because their torso is not annotated, from (N, K) errors."""
    return int(np.isnan(errors).all(axis=1).sum())


def mean_instance_errors(errors: np.ndarray) -> np.ndarray:
    """Return each instance's mean error over its scored joints, NaN if it has none: (N, K) -> (N,)."""
    scored = ~np.isnan(errors)
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.where(scored, errors, 0.0).sum(axis=1) / scored.sum(axis=1)
    return mean


def pck(errors: np.ndarray, threshold: float) -> np.ndarray:
    """Return the percentage of scored instances whose error is at most the threshold: (N, K) -> (K,).

    NaN for a joint that is not scored in any instance.
    """
    with np.errstate(invalid="ignore"):
        percent: np.ndarray = 100.0 * (errors <= threshold).sum(axis=0) / (~np.isnan(errors)).sum(axis=0)
    return percent


def auc_contributions(errors: np.ndarray, limit: float) -> np.ndarray:
    """Return each joint's contribution to the area under the PCK curve: (N, K) from 0 to 1, 0 where not scored.

    The mean over the scored instances is the exact integral of PCK over the threshold from 0 to `limit`, divided by
    `limit`: a joint with error e is correct from threshold e on, so it contributes max(0, 1 - e / limit).
    """
    return np.maximum(0.0, 1.0 - np.where(np.isnan(errors), np.inf, errors) / limit)
