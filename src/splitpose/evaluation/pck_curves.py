"""PCK as a function of the threshold, with 95 % bands: the paper's Figure 5 and the curves of DVC's plots."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from splitpose.evaluation.summary import summarise

THRESHOLDS: tuple[float, ...] = tuple(np.linspace(0.0, 0.3, 61).round(3).tolist())
"""Thresholds of the curves, torso diameters."""

RESAMPLES = 1000
"""Bootstrap resamples of the bands, which need fewer than the intervals in tables."""

GROUPS = ("mean", "elbow", "wrist")
"""Joint groups that have a curve; see `summary.GROUPS`."""


def pck_curves(
    errors: Mapping[str, np.ndarray],
    seed: int,
    clusters: np.ndarray | None = None,
    annotator_distances: np.ndarray | None = None,
) -> dict[str, Any]:
    """Return the PCK curve of every variant and joint group.

    Args:
        errors: (N, K) of each variant in torso diameters, NaN where not scored.
        seed: seed of the bands' resampling.
        clusters: (N,) bootstrap cluster of each instance; see `summarise`.
        annotator_distances: (P, K) distances between two annotations; see `annotator_agreement.pair_distances`.

    Returns:
        {"thresholds": [T numbers], "variants": {name: {group: {"pck": [T percentages], "ci95": [T pairs]}}},
        "annotators": {group: [T percentages]}, or None without pairs}; None for undefined numbers and pairs.
    """
    variants = {}
    for name, variant_errors in errors.items():
        metrics = summarise(variant_errors, THRESHOLDS, RESAMPLES, seed, clusters)
        variants[name] = {
            group: {"pck": _values(metrics["pck"], group), "ci95": _values(metrics["ci95"], group)}
            for group in GROUPS
        }
    annotators = None
    if annotator_distances is not None and len(annotator_distances):
        agreement = summarise(annotator_distances, THRESHOLDS, 1, seed)
        annotators = {group: _values(agreement["pck"], group) for group in GROUPS}
    return {"thresholds": list(THRESHOLDS), "variants": variants, "annotators": annotators}


def curve_rows(curves: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Convert `pck_curves` to rows {"variant", "threshold", "mean", "elbow", "wrist"} for plotting tools."""
    return [
        {"variant": name, "threshold": threshold} | {group: groups[group]["pck"][k] for group in GROUPS}
        for name, groups in curves["variants"].items()
        for k, threshold in enumerate(curves["thresholds"])
    ]


def _values(by_threshold: Mapping[str, Mapping[str, Any]], group: str) -> list[Any]:
    """Return a group's value at each threshold."""
    return [groups[group] for groups in by_threshold.values()]
