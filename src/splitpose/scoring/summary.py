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
"""What is reported: each is the mean of its joints' PCK."""


def summarise(errors: np.ndarray, thresholds: tuple[float, ...], resamples: int, seed: int) -> dict[str, Any]:
    """PCK and its 95 % bootstrap interval over people.

    Args:
        errors: (N, K) in torso diameters, NaN where not scored.
        thresholds: in torso diameters.
        resamples: bootstrap resamples of the people.
        seed: of the resampling.

    Returns:
        {"pck": {threshold: {group: percent}}, "ci95": {threshold: {group: [low, high]}}}; None where nobody has
        one of the group's joints annotated.
    """
    weights = np.vstack([np.ones((1, len(errors))), _resampling_weights(len(errors), resamples, seed)])
    scored = weights @ ~np.isnan(errors)
    scores: dict[str, Any] = {"pck": {}, "ci95": {}}
    for threshold in thresholds:
        with np.errstate(invalid="ignore"):
            by_joint = 100.0 * (weights @ (errors <= threshold)) / scored
        means = {
            group: by_joint[:, [INDEX[joint] for joint in joints]].mean(axis=1)
            for group, joints in GROUPS.items()
        }
        scores["pck"][f"{threshold:g}"] = {group: _percent(mean[0]) for group, mean in means.items()}
        scores["ci95"][f"{threshold:g}"] = {group: _interval(mean) for group, mean in means.items()}
    return scores


def _resampling_weights(people: int, resamples: int, seed: int) -> np.ndarray:
    """How often each resample draws each person: (resamples, N)."""
    shares = np.full(people, 1.0 / people)
    return np.random.default_rng(seed).multinomial(people, shares, size=resamples).astype(np.float64)


def _percent(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 3)


def _interval(mean: np.ndarray) -> list[float] | None:
    """Of a group's means: the first is of the people as they are, the others of the resamples."""
    if np.isnan(mean[0]):
        return None
    low, high = np.nanpercentile(mean[1:], [2.5, 97.5])
    return [round(float(low), 3), round(float(high), 3)]
