"""Figures of accuracy: PCK of every joint, PCK against the threshold, and robustness."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from splitpose.report.figures import style
from splitpose.skeleton import FULL_NAMES

GROUP_NAMES = {"mean": "mean of all", "elbow": "elbows", "wrist": "wrists", **FULL_NAMES}


def plot_joint_pck(comparison: Mapping[str, Any], data: str, threshold: str = "0.2") -> bytes:
    """Plot PCK of every joint and joint group with 95 % intervals, variants next to each other.

    Args:
        comparison: content of comparison.json.
        data: description of the data (see `tables.describe_data`), written below the figure, as in all functions.
        threshold: PCK threshold.
    """
    variants = comparison["variants"]
    with style.rc_context():
        figure, axes = style.new_axes(0.34 * len(GROUP_NAMES) + 1.6)
        for k, (name, variant) in enumerate(variants.items()):
            offset = (k - (len(variants) - 1) / 2) * 0.7 / max(len(variants), 1)
            _plot_intervals(axes, name, k, offset, variant["pck"].get(threshold, {}))
        axes.set_yticks(range(len(GROUP_NAMES)), list(GROUP_NAMES.values()))
        axes.set_ylim(len(GROUP_NAMES) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        for row in range(1, len(GROUP_NAMES), 2):
            axes.axhspan(row - 0.5, row + 0.5, color="#f3f3f3", zorder=0)
        axes.set_xlabel(f"PCK@{threshold} (%), with 95 % interval\n{data}")
        style.add_legend(figure, axes)
        return style.to_png(figure)


def _plot_intervals(axes: Axes, name: str, k: int, offset: float, scores: Mapping[str, Any]) -> None:
    """Plot one variant's score and interval of each group at one threshold."""
    groups = [group for group in GROUP_NAMES if scores.get(group) is not None]
    values = np.array([scores[group] for group in groups], float)
    intervals = [scores["ci95"][group] or (math.nan, math.nan) for group in groups]
    low, high = np.array(intervals, float).reshape(-1, 2).T
    rows = np.array([list(GROUP_NAMES).index(group) for group in groups])
    axes.errorbar(
        values,
        rows + offset,
        xerr=(np.maximum(values - low, 0), np.maximum(high - values, 0)),
        fmt=style.marker(k),
        color=style.colour(k),
        markersize=4.5,
        elinewidth=1.4,
        capsize=2,
        label=name,
    )


def plot_pck_curves(curves: Mapping[str, Any], data: str) -> bytes:
    """Plot PCK of elbows and wrists against the threshold with 95 % bands (the paper's Figure 5).

    Args:
        curves: content of pck_curves.json; the agreement of two annotators, if known, is a separate line.
        data: description of the data.
    """
    thresholds = curves["thresholds"]
    with style.rc_context():
        figure = style.new_figure(3.7)
        panels = figure.subplots(1, 2, sharey=True)
        for axes, group in zip(panels, ("elbow", "wrist"), strict=True):
            for k, (name, groups) in enumerate(curves["variants"].items()):
                axes.plot(thresholds, _with_nan(groups[group]["pck"]), **style.line(k), label=name)
                low, high = np.transpose([ends or (math.nan, math.nan) for ends in groups[group]["ci95"]])
                axes.fill_between(thresholds, low, high, color=style.colour(k), alpha=0.15, linewidth=0)
            if curves["annotators"]:
                agreement = _with_nan(curves["annotators"][group])
                axes.plot(thresholds, agreement, color=style.GREY, linewidth=1, label="two annotators")
            axes.axvline(0.2, color=style.GREY, linewidth=0.8)
            axes.set(title=f"{group}s", xlim=(0, thresholds[-1]), ylim=(0, 100))
        panels[0].set_ylabel("PCK (%)")
        label = f"threshold (torso diameters); bands: 95 % intervals\n{data}"
        figure.supxlabel(label, fontsize=style.FONT_SIZE)
        style.add_legend(figure, panels[0])
        return style.to_png(figure)


def _with_nan(values: Sequence[float | None]) -> list[float]:
    """Replace None by NaN, which matplotlib leaves out."""
    return [math.nan if value is None else value for value in values]


def plot_robustness(robustness: Mapping[str, Mapping[str, Any]], data: str) -> bytes:
    """Plot PCK@0.2 on increasingly dark and blurred crops, from each variant's robustness JSON."""
    titles = {"darkening": "brightness (1: unchanged crop)", "blur": "blur (px of a crop of 96 px)"}
    with style.rc_context():
        figure = style.new_figure(3.4)
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (test, title) in zip(panels, titles.items(), strict=True):
            for k, (name, results) in enumerate(robustness.items()):
                steps = results[test]["pck_0.2"]
                axes.plot([float(step) for step in steps], list(steps.values()), **style.marked_line(k), label=name)
            mean_pose = next(iter(robustness.values()))[test]["mean_pose"]
            axes.axhline(mean_pose, color=style.GREY, linewidth=0.8)
            axes.set(title=title, ylim=(0, 100))
        panels[0].invert_xaxis()
        panels[0].set_ylabel("PCK@0.2 (%)")
        label = f"grey line: the mean pose, which ignores the image\n{data}"
        figure.supxlabel(label, fontsize=style.FONT_SIZE)
        style.add_legend(figure, panels[0])
        return style.to_png(figure)
