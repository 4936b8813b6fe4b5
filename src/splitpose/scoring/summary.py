"""Scores of a set of predictions with bootstrap intervals: the figures that metrics files and tables hold."""

from typing import Any

import numpy as np

from splitpose.skeleton import INDEX, JOINTS

GROUPS: dict[str, tuple[str, ...]] = {
    "mean": JOINTS,
    "elbow": ("lelb", "relb"),
    "wrist": ("lwri", "rwri"),
    **{joint: (joint,) for joint in JOINTS},
}
"""What is reported: each is the mean of the PCK of those of its joints that somebody has annotated."""


def summarise(errors: np.ndarray, thresholds: tuple[float, ...], resamples: int, seed: int) -> dict[str, Any]:
    """PCK and its 95 % bootstrap interval over people.

    Args:
        errors: (N, K) in torso diameters, NaN where not scored.
        thresholds: in torso diameters.
        resamples: bootstrap resamples of the people.
        seed: of the resampling.

    Returns:
        {"pck": {threshold: {group: percent}}, "ci95": {threshold: {group: [low, high]}}}; None where nobody has
        any of the group's joints annotated.
    """
    annotated = ~np.isnan(errors).all(axis=0)
    members = {
        group: [INDEX[joint] for joint in joints if annotated[INDEX[joint]]] for group, joints in GROUPS.items()
    }
    weights = np.vstack([np.ones((1, len(errors))), _resampling_weights(len(errors), resamples, seed)])
    scored = weights @ ~np.isnan(errors)
    scores: dict[str, Any] = {"pck": {}, "ci95": {}}
    for threshold in thresholds:
        with np.errstate(invalid="ignore"):
            by_joint = 100.0 * (weights @ (errors <= threshold)) / scored
        means = {group: by_joint[:, columns].mean(axis=1) for group, columns in members.items() if columns}
        scores["pck"][f"{threshold:g}"] = {
            group: round(float(means[group][0]), 3) if group in means else None for group in GROUPS
        }
        scores["ci95"][f"{threshold:g}"] = {
            group: _interval(means[group]) if group in means else None for group in GROUPS
        }
    return scores


def _resampling_weights(people: int, resamples: int, seed: int) -> np.ndarray:
    """How often each resample draws each person: (resamples, N)."""
    shares = np.full(people, 1.0 / people)
    return np.random.default_rng(seed).multinomial(people, shares, size=resamples).astype(np.float64)


def _interval(mean: np.ndarray) -> list[float]:
    """Of a group's means: the first is of the people as they are, the others of the resamples."""
    low, high = np.nanpercentile(mean[1:], [2.5, 97.5])
    return [round(float(low), 3), round(float(high), 3)]
