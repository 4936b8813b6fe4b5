"""The common style of the figures: size, colours, markers, legend and reproducible PNG output.

The colours are Okabe and Ito's, distinguishable with colour blindness; line styles and markers distinguish variants
in black-and-white print too.
"""

import io
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("--", ":", "-.", "-")
GREY = "#888888"

WIDTH = 6.2
"""Inches; narrow enough for the text to be legible on a phone."""

FONT_SIZE = 10.5

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": FONT_SIZE,
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


def rc_context() -> Any:
    """Return a context in which matplotlib uses this style."""
    return matplotlib.rc_context(RC)


def new_figure(height: float) -> Figure:
    """Create a figure of the report's width without axes; height in inches."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def new_axes(height: float) -> tuple[Figure, Axes]:
    """Create a figure of the report's width with one set of axes; height in inches."""
    figure = new_figure(height)
    return figure, figure.subplots()


def colour(k: int) -> str:
    """Return the colour of the k-th variant."""
    return COLOURS[k % len(COLOURS)]


def marker(k: int) -> str:
    """Return the marker of the k-th variant."""
    return MARKERS[k % len(MARKERS)]


def line(k: int) -> dict[str, Any]:
    """Return colour and line style of the k-th variant."""
    return {"color": colour(k), "linestyle": LINES[k % len(LINES)]}


def marked_line(k: int) -> dict[str, Any]:
    """Return colour, line style and marker of the k-th variant."""
    return line(k) | {"marker": marker(k), "markersize": 4.5}


def set_plain_ticks(axis: Axis) -> None:
    """Label a logarithmic axis with plain numbers: 1, 2, 5, 10."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def add_legend(figure: Figure, axes: Axes) -> None:
    """Add a legend of what `axes` contains, in a row above all axes."""
    handles, names = axes.get_legend_handles_labels()
    columns = 4 if max(map(len, names), default=0) <= 10 else 2
    figure.legend(handles, names, loc="outside upper center", ncols=columns)


def to_png(figure: Figure) -> bytes:
    """Encode the figure as PNG, without the software version that matplotlib would write into it."""
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
