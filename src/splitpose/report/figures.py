"""The figures of the report, each as the bytes of a PNG that are the same every time.

Colours are Okabe and Ito's, told apart by colour-blind readers; line styles and markers tell variants apart
in black-and-white print too.
"""

import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from splitpose.benchmark.operator_timings import total_by_name
from splitpose.benchmark.schema import Benchmark, OperatorTiming
from splitpose.evaluation.summary import summarise
from splitpose.report import label_placement
from splitpose.skeleton import FULL_NAMES
from splitpose.training.history import best_row

THRESHOLDS = tuple(np.linspace(0.0, 0.3, 61).round(3).tolist())
"""Shares of the torso diameter at which the PCK curves are drawn."""

BAND_RESAMPLES = 1000
"""Of the bands around them, whose edges need no third digit."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("--", ":", "-.", "-")
KINDS = ("ours", "pose", "classifier")
"""Kinds of networks, each with its colour and marker."""

WIDTH = 6.2
"""Inches. Narrow, so that the text can still be read on a phone."""

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "savefig.dpi": 160,
}


def joint_scores(comparison: Mapping[str, Any], people: str, threshold: str = "0.2") -> bytes:
    """PCK of every joint and their means, with 95 % intervals, variants beside each other."""
    titles = {"mean": "mean of all", "elbow": "elbows", "wrist": "wrists", **FULL_NAMES}
    variants = comparison["variants"]
    with matplotlib.rc_context(STYLE):
        figure, axes = _figure(0.34 * len(titles) + 1.6)
        for k, (name, variant) in enumerate(variants.items()):
            at = variant["pck"].get(threshold, {})
            shown = [group for group in titles if at.get(group) is not None]
            value = np.array([at[group] for group in shown], float)
            low, high = np.array([at["ci95"][group] for group in shown], float).reshape(-1, 2).T
            rows = np.array([list(titles).index(group) for group in shown])
            offset = (k - (len(variants) - 1) / 2) * 0.7 / max(len(variants), 1)
            axes.errorbar(
                value,
                rows + offset,
                xerr=(np.maximum(value - low, 0), np.maximum(high - value, 0)),
                fmt=MARKERS[k % len(MARKERS)],
                color=COLOURS[k % len(COLOURS)],
                markersize=4.5,
                elinewidth=1.4,
                capsize=2,
                label=name,
            )
        axes.set_yticks(range(len(titles)), list(titles.values()))
        axes.set_ylim(len(titles) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        for row in range(1, len(titles), 2):
            axes.axhspan(row - 0.5, row + 0.5, color="#f3f3f3", zorder=0)
        axes.set_xlabel(f"PCK@{threshold} (%), with 95 % interval\n{people}")
        _legend(figure, axes)
        return _png(figure)


def threshold_curves(
    errors: Mapping[str, np.ndarray],
    people: str,
    seed: int,
    clusters: np.ndarray | None = None,
    ceiling: np.ndarray | None = None,
) -> bytes:
    """PCK of elbows and wrists against the threshold, with 95 % bands (the paper's Figure 5).

    Args:
        errors: of each variant (N, K) in torso diameters, NaN where not scored.
        people: who was measured; printed below.
        seed, clusters: of the bands' resampling, as for `summarise`.
        ceiling: (P, K) differences between two annotators (see `scoring.agreement`), drawn as a line of its own.
    """
    found = {name: summarise(error, THRESHOLDS, BAND_RESAMPLES, seed, clusters) for name, error in errors.items()}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.7), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, group in zip(panels, ("elbow", "wrist"), strict=True):
            for k, (name, scores) in enumerate(found.items()):
                axes.plot(THRESHOLDS, _numbers(scores["pck"], group), **_line(k), label=name)
                low, high = np.transpose([ends[group] or (np.nan, np.nan) for ends in scores["ci95"].values()])
                axes.fill_between(THRESHOLDS, low, high, color=_line(k)["color"], alpha=0.15, linewidth=0)
            if ceiling is not None and len(ceiling):
                agreed = summarise(ceiling, THRESHOLDS, 1, seed)["pck"]
                axes.plot(THRESHOLDS, _numbers(agreed, group), color="#888888", linewidth=1, label="two annotators")
            axes.axvline(0.2, color="#888888", linewidth=0.8)
            axes.set(title=f"{group}s", xlim=(0, THRESHOLDS[-1]), ylim=(0, 100))
        panels[0].set_ylabel("PCK (%)")
        figure.supxlabel(f"threshold (torso diameters); bands: 95 % intervals\n{people}", fontsize=10.5)
        _legend(figure, panels[0])
        return _png(figure)


def _numbers(scores: Mapping[str, Mapping[str, float | None]], group: str) -> list[float]:
    """A group's score at each threshold, NaN where there is none."""
    values = [at[group] for at in scores.values()]
    return [math.nan if value is None else value for value in values]


def robustness(behaviours: Mapping[str, Mapping[str, Any]], people: str) -> bytes:
    """PCK@0.2 of crops that get darker and blurrier; `behaviours` has what `scoring.behaviour` gives for each."""
    titles = {"darker": "light (1: the crop as it is)", "blurrier": "blur (px of a crop of 96 px)"}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (test, title) in zip(panels, titles.items(), strict=True):
            for k, (name, of_variant) in enumerate(behaviours.items()):
                steps = of_variant[test]["pck_0.2"]
                style = _line(k) | {"marker": MARKERS[k % len(MARKERS)], "markersize": 4.5}
                axes.plot([float(step) for step in steps], list(steps.values()), **style, label=name)
            mean_pose = next(iter(behaviours.values()))[test]["mean_pose"]
            axes.axhline(mean_pose, color="#888888", linewidth=0.8)
            axes.set(title=title, ylim=(0, 100))
        panels[0].invert_xaxis()
        panels[0].set_ylabel("PCK@0.2 (%)")
        figure.supxlabel(f"grey line: the mean pose, which looks at nothing\n{people}", fontsize=10.5)
        _legend(figure, panels[0])
        return _png(figure)


def loss_curves(histories: Mapping[str, pd.DataFrame], people: str) -> bytes:
    """Training and validation loss of each variant over both phases (the paper's Figure 4)."""
    rows = -(-len(histories) // 2)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 2.3 * rows + 0.9), layout="constrained")
        panels = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).flat
        for axes, (name, history) in zip(panels, histories.items(), strict=False):
            axes.plot(history["iteration"], history["train_loss"], color=COLOURS[0], label="training")
            axes.plot(history["iteration"], history["val_loss"], "--", color=COLOURS[1], label="validation")
            frozen = history.loc[history["phase"] == "frozen", "iteration"]
            if len(frozen):
                axes.axvline(frozen.max(), color="#888888", linewidth=0.8)
            axes.set(title=name, yscale="log")
        for axes in list(panels)[len(histories) :]:
            axes.set_axis_off()
        figure.supylabel("loss", fontsize=10.5)
        figure.supxlabel(f"iteration; grey line: end of the frozen phase\n{people}", fontsize=10.5)
        _legend(figure, figure.axes[0])
        return _png(figure)


def validation_curves(histories: Mapping[str, pd.DataFrame], people: str) -> bytes:
    """PCK@0.2 of the validation people while training; a dot marks the weights that were kept."""
    with matplotlib.rc_context(STYLE):
        figure, axes = _figure(3.7)
        for k, (name, history) in enumerate(histories.items()):
            line = _line(k)
            axes.plot(history["iteration"], history["val_pck_0.2"], **line, label=name)
            kept = best_row(history)
            axes.plot(kept["iteration"], kept["val_pck_0.2"], "o", color=line["color"], markersize=7)
        axes.set(
            xlabel=f"iteration; dot: the weights that were kept\n{people}",
            ylabel="validation PCK@0.2 (%)",
            ylim=(0, 100),
        )
        _legend(figure, axes)
        return _png(figure)


def latency_accuracy(comparison: Mapping[str, Any], people: str) -> bytes:
    """Latency against accuracy of the float32 (filled) and int8 (open) files; area says parameters."""
    variants = comparison["variants"]
    most = max((variant["parameters"] for variant in variants.values()), default=1)
    with matplotlib.rc_context(STYLE):
        figure, axes = _figure(4.2)
        for k, (name, variant) in enumerate(variants.items()):
            colour = COLOURS[k % len(COLOURS)]
            points = [variant["tflite"][precision] for precision in ("float32", "int8")]
            x = np.array([point["p50_ms"] for point in points], float)
            y = np.array([point["pck_0.2_mean"] for point in points], float)
            area = 240 * variant["parameters"] / most
            marker = MARKERS[k % len(MARKERS)]
            axes.plot(x, y, color=colour, linewidth=0.8, zorder=1)
            axes.scatter(x[0], y[0], s=area, marker=marker, color=colour, zorder=2)
            axes.scatter(x[1], y[1], s=area, marker=marker, facecolor="white", edgecolor=colour, zorder=2)
            axes.plot([], [], marker, color=colour, label=f"{name}, {variant['parameters'] / 1e6:.2f} M")
        axes.margins(0.12)
        axes.set_xlim(left=0)
        axes.set(
            xlabel=f"latency of one picture, p50 (ms); area: parameters\n{people}",
            ylabel="PCK@0.2 of the file (%)",
        )
        kinds = [
            Line2D([], [], marker="o", linestyle="", color="#555555", label="float32"),
            Line2D([], [], marker="o", linestyle="", color="#555555", markerfacecolor="white", label="int8"),
        ]
        axes.legend(handles=kinds, loc="lower right")
        _legend(figure, axes)
        return _png(figure)


def latency_threads(benchmarks: Mapping[str, Benchmark], people: str) -> bytes:
    """Latency of the float32 and int8 files against the number of threads, log scales."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.7), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, precision in zip(panels, ("float32", "int8"), strict=True):
            numbers: set[int] = set()
            for k, (name, found) in enumerate(benchmarks.items()):
                times = sorted((speed.threads, speed.p50_ms) for speed in found.models[precision].by_threads)
                style = _line(k) | {"marker": MARKERS[k % len(MARKERS)], "markersize": 4.5}
                axes.plot(*np.transpose(times), **style, label=name)
                numbers |= {threads for threads, _ in times}
            axes.set(title=precision, xscale="log", yscale="log")
            axes.set_xticks(sorted(numbers), [str(number) for number in sorted(numbers)])
            axes.xaxis.set_minor_locator(NullLocator())
            _plain_ticks(axes.yaxis)
        panels[0].set_ylabel("latency of one picture, p50 (ms)")
        figure.supxlabel(f"threads\n{people}", fontsize=10.5)
        _legend(figure, panels[0])
        return _png(figure)


def latency_parameters(networks: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Latency against parameters of our variants and of other networks (the paper's Figure 1).

    `networks` has what the comparators stage wrote of each; its kind tells marker and colour.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = _figure(5.2)
        for k, kind in enumerate(KINDS):
            ones = [one for one in networks.values() if one["kind"] == kind]
            axes.scatter(
                [one["parameters"] / 1e6 for one in ones],
                [one["p50_ms"] for one in ones],
                s=60 if kind == "ours" else 36,
                marker=MARKERS[k],
                color=COLOURS[k],
                label=kind,
                zorder=3,
            )
        axes.set(
            xscale="log",
            yscale="log",
            xlabel="parameters (millions)\nfloat32, random weights, input of 224 px where nothing else is said",
            ylabel="latency of one picture, p50 (ms)",
        )
        axes.margins(0.14)
        for axis in (axes.xaxis, axes.yaxis):
            _plain_ticks(axis)
        _legend(figure, axes)
        crowded_first = sorted(networks.items(), key=lambda item: KINDS.index(item[1]["kind"]))
        points = [(one["parameters"] / 1e6, one["p50_ms"]) for _, one in crowded_first]
        names = [name if one["size"] == 224 else f"{name} ({one['size']} px)" for name, one in crowded_first]
        label_placement.place(figure, axes, points, names)
        return _png(figure)


def operators(benchmarks: Mapping[str, Benchmark], people: str) -> bytes:
    """Time of each file's operators as stacked bars; the kinds that take least are one colour."""
    files = {
        f"{name}, {precision}": _by_kind(found.models[precision].operator_timings)
        for name, found in benchmarks.items()
        for precision in ("float32", "int8")
    }
    kinds = {
        kind: sum(times.get(kind, 0.0) for times in files.values()) for each in files.values() for kind in each
    }
    shown = sorted(kinds, key=lambda kind: -kinds[kind])[: len(COLOURS) - 1]
    with matplotlib.rc_context(STYLE):
        figure, axes = _figure(0.34 * len(files) + 1.7)
        left = np.zeros(len(files))
        for k, kind in enumerate(shown):
            widths = np.array([times.get(kind, 0.0) for times in files.values()])
            axes.barh(list(files), widths, left=left, color=COLOURS[k], edgecolor="white", label=kind)
            left += widths
        others = np.array([sum(times.values()) for times in files.values()]) - left
        if len(kinds) > len(shown):
            axes.barh(list(files), others, left=left, color=COLOURS[-1], edgecolor="white", label="others")
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"time of one picture (ms)\n{people}")
        _legend(figure, axes)
        return _png(figure)


def _by_kind(profile: Sequence[OperatorTiming]) -> dict[str, float]:
    """ms of each kind of operator, e.g. "Convolution DWConv" for "Convolution (NHWC, F32) DWConv"."""
    times: dict[str, float] = {}
    for operator, _, ms in total_by_name(profile):
        kind = re.sub(r" \([^)]*\)", "", operator)
        times[kind] = times.get(kind, 0.0) + ms
    return times


def _figure(height: float) -> tuple[Figure, Axes]:
    """A figure of the report's width with one set of axes; height in inches."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _plain_ticks(axis: Axis) -> None:
    """Ticks of a log scale as they are read: 1, 2, 5, 10."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def _line(k: int) -> dict[str, Any]:
    """Colour and style of the k-th variant's line."""
    return {"color": COLOURS[k % len(COLOURS)], "linestyle": LINES[k % len(LINES)]}


def _legend(figure: Figure, axes: Axes) -> None:
    """Names of what `axes` shows, in a row above all axes."""
    handles, names = axes.get_legend_handles_labels()
    columns = 4 if max(map(len, names), default=0) <= 10 else 2
    figure.legend(handles, names, loc="outside upper center", ncols=columns)


def _png(figure: Figure) -> bytes:
    """The figure as PNG, without the software's name and version that matplotlib would write into it."""
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
