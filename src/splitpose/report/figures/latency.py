"""Figures of latency: against accuracy, threads and parameters, and by operator."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from splitpose.benchmark.operator_timings import total_by_name
from splitpose.benchmark.schema import Benchmark, OperatorTiming
from splitpose.report.figures import label_placement, style

KINDS = ("ours", "pose", "classifier")
"""Kinds of networks, each with its colour and marker."""


def plot_latency_accuracy(comparison: Mapping[str, Any], data: str) -> bytes:
    """Plot latency against accuracy of the float32 (filled) and int8 (open) files; the area shows the parameters.

    Args:
        comparison: content of comparison.json.
        data: description of the data (see `tables.describe_data`), written below the figure, as in all functions.
    """
    variants = comparison["variants"]
    most = max((variant["parameters"] for variant in variants.values()), default=1)
    with style.rc_context():
        figure, axes = style.new_axes(4.2)
        for k, (name, variant) in enumerate(variants.items()):
            colour, marker = style.colour(k), style.marker(k)
            files = [variant["tflite"][precision] for precision in ("float32", "int8")]
            x = np.array([file["p50_ms"] for file in files], float)
            y = np.array([file["pck_0.2_mean"] for file in files], float)
            area = 240 * variant["parameters"] / most
            axes.plot(x, y, color=colour, linewidth=0.8, zorder=1)
            axes.scatter(x[0], y[0], s=area, marker=marker, color=colour, zorder=2)
            axes.scatter(x[1], y[1], s=area, marker=marker, facecolor="white", edgecolor=colour, zorder=2)
            axes.plot([], [], marker, color=colour, label=f"{name}, {variant['parameters'] / 1e6:.2f} M")
        axes.margins(0.12)
        axes.set_xlim(left=0)
        axes.set(xlabel=f"latency per image, p50 (ms); area: parameters\n{data}", ylabel="PCK@0.2 of the file (%)")
        kinds = [
            Line2D([], [], marker="o", linestyle="", color="#555555", label="float32"),
            Line2D([], [], marker="o", linestyle="", color="#555555", markerfacecolor="white", label="int8"),
        ]
        axes.legend(handles=kinds, loc="lower right")
        style.add_legend(figure, axes)
        return style.to_png(figure)


def plot_latency_threads(benchmarks: Mapping[str, Benchmark], data: str) -> bytes:
    """Plot latency of the float32 and int8 files against the number of threads, log scales."""
    with style.rc_context():
        figure = style.new_figure(3.7)
        panels = figure.subplots(1, 2, sharey=True)
        for axes, precision in zip(panels, ("float32", "int8"), strict=True):
            counts: set[int] = set()
            for k, (name, benchmark) in enumerate(benchmarks.items()):
                latencies = benchmark.models[precision].by_threads
                times = sorted((latency.threads, latency.p50_ms) for latency in latencies)
                axes.plot(*np.transpose(times), **style.marked_line(k), label=name)
                counts |= {threads for threads, _ in times}
            axes.set(title=precision, xscale="log", yscale="log")
            axes.set_xticks(sorted(counts), [str(count) for count in sorted(counts)])
            axes.xaxis.set_minor_locator(NullLocator())
            style.set_plain_ticks(axes.yaxis)
        panels[0].set_ylabel("latency per image, p50 (ms)")
        figure.supxlabel(f"threads\n{data}", fontsize=style.FONT_SIZE)
        style.add_legend(figure, panels[0])
        return style.to_png(figure)


def plot_latency_parameters(networks: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Plot latency against parameters of our variants and of other networks (the paper's Figure 1).

    Args:
        networks: measurements of each network by the comparators stage; its "kind" selects marker and colour.
    """
    with style.rc_context():
        figure, axes = style.new_axes(5.2)
        for k, kind in enumerate(KINDS):
            members = [network for network in networks.values() if network["kind"] == kind]
            axes.scatter(
                [network["parameters"] / 1e6 for network in members],
                [network["p50_ms"] for network in members],
                s=60 if kind == "ours" else 36,
                marker=style.marker(k),
                color=style.colour(k),
                label=kind,
                zorder=3,
            )
        axes.set(
            xscale="log",
            yscale="log",
            xlabel="parameters (millions)\nfloat32, random weights, input of 224 px unless stated otherwise",
            ylabel="latency per image, p50 (ms)",
        )
        axes.margins(0.14)
        for axis in (axes.xaxis, axes.yaxis):
            style.set_plain_ticks(axis)
        style.add_legend(figure, axes)
        by_priority = sorted(networks.items(), key=lambda item: KINDS.index(item[1]["kind"]))
        points = [(network["parameters"] / 1e6, network["p50_ms"]) for _, network in by_priority]
        labels = [
            name if network["size"] == 224 else f"{name} ({network['size']} px)" for name, network in by_priority
        ]
        label_placement.place_labels(figure, axes, points, labels)
        return style.to_png(figure)


def plot_operator_timings(benchmarks: Mapping[str, Benchmark], data: str) -> bytes:
    """Plot the time of each file's operators as stacked bars; the least expensive kinds share a colour."""
    files = {
        f"{name}, {precision}": sum_by_kind(benchmark.models[precision].operator_timings)
        for name, benchmark in benchmarks.items()
        for precision in ("float32", "int8")
    }
    totals: dict[str, float] = {}
    for times in files.values():
        for kind, ms in times.items():
            totals[kind] = totals.get(kind, 0.0) + ms
    shown = sorted(totals, key=lambda kind: -totals[kind])[: len(style.COLOURS) - 1]
    with style.rc_context():
        figure, axes = style.new_axes(0.34 * len(files) + 1.7)
        left = np.zeros(len(files))
        for k, kind in enumerate(shown):
            widths = np.array([times.get(kind, 0.0) for times in files.values()])
            axes.barh(list(files), widths, left=left, color=style.COLOURS[k], edgecolor="white", label=kind)
            left += widths
        others = np.array([sum(times.values()) for times in files.values()]) - left
        if len(totals) > len(shown):
            axes.barh(list(files), others, left=left, color=style.COLOURS[-1], edgecolor="white", label="others")
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"time per image (ms)\n{data}")
        style.add_legend(figure, axes)
        return style.to_png(figure)


def sum_by_kind(timings: Sequence[OperatorTiming]) -> dict[str, float]:
    """Sum the ms of each kind of operator, e.g. "Convolution DWConv" for "Convolution (NHWC, F32) DWConv"."""
    times: dict[str, float] = {}
    for operator, _, ms in total_by_name(timings):
        kind = re.sub(r" \([^)]*\)", "", operator)
        times[kind] = times.get(kind, 0.0) + ms
    return times
