"""Percentage of Correct Keypoints (PCK) as published for FLIC, in NumPy alone.

Legend: N people, K joints. A joint that is not annotated, or whose person has no torso, is NaN and left out of
numerator and denominator alike.
"""

import numpy as np

from splitpose.skeleton import INDEX, TORSO


def torso_diameter(truth: np.ndarray, torso: tuple[str, str] = TORSO) -> np.ndarray:
    """Distance between two annotated joints, (N, K, 2) px -> (N,) px (facts.md, Scoring FLIC)."""
    start, end = (truth[:, INDEX[joint]] for joint in torso)
    diameter: np.ndarray = np.linalg.norm(start - end, axis=-1)
    return diameter


def normalised_errors(truth: np.ndarray, predicted: np.ndarray, torso: tuple[str, str] = TORSO) -> np.ndarray:
    """Distance of each predicted joint from the annotated one, in torso diameters of the ground truth.

    Args:
        truth: (N, K, 2) px, NaN where not annotated.
        predicted: (N, K, 2) px; a missing prediction of an annotated joint (NaN) is infinitely wrong.
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


def pck(errors: np.ndarray, threshold: float) -> np.ndarray:
    """Share of people whose joint's error is at most the threshold: (N, K) -> (K,) percent, NaN without people."""
    scored = np.isfinite(errors) | np.isposinf(errors)
    with np.errstate(invalid="ignore"):
        found: np.ndarray = 100.0 * (errors <= threshold).sum(axis=0) / scored.sum(axis=0)
    return found
