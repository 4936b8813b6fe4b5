"""Formatting of numbers as the text of table cells."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

MISSING = "–"


def format_number(value: float | None, digits: int) -> str:
    """Format a number with `digits` decimals, a missing one as a dash."""
    return MISSING if value is None or math.isnan(value) else f"{value:.{digits}f}"


def format_millions(value: float | None, digits: int = 2) -> str:
    """Format a count in millions."""
    return format_number(None if value is None else value / 1e6, digits)


def format_megabytes(value: float | None) -> str:
    """Format bytes in MB of 10^6 bytes."""
    return format_number(None if value is None else value / 1e6, 2)


def format_loss(value: float | None) -> str:
    """Format a loss, e.g. 1.57e-04."""
    return MISSING if value is None or math.isnan(value) else f"{value:.2e}"


def format_with_interval(value: float | None, interval: Sequence[float] | None, signed: bool = False) -> str:
    """Format a number with one decimal and its 95 % interval, if any, on a second line: "90.0\\n89.0–91.0"."""
    sign = "+" if signed else ""
    if value is None or math.isnan(value):
        return MISSING
    if interval is None or any(math.isnan(end) for end in interval):
        return f"{value:{sign}.1f}"
    return f"{value:{sign}.1f}\n{format_interval(interval, signed)}"


def format_interval(interval: Sequence[float] | None, signed: bool = False) -> str:
    """Format an interval or a range, "89.0–91.0" or "+1.0 to +2.0", a missing one as a dash."""
    if interval is None:
        return MISSING
    low, high = interval
    # A dash between signed numbers reads as a minus.
    return f"{low:+.1f} to {high:+.1f}" if signed else f"{low:.1f}–{high:.1f}"


def format_score(metrics: Mapping[str, Any], threshold: str, group: str) -> str:
    """Format the PCK of a joint group with its interval; `metrics` has "ci95" inside or next to "pck"."""
    scores = metrics["pck"].get(threshold, {})
    intervals = scores.get("ci95") or metrics.get("ci95", {}).get(threshold, {})
    return format_with_interval(scores.get(group), intervals.get(group))


def format_score_and_range(variant: Mapping[str, Any], threshold: str, group: str) -> str:
    """Format the PCK of a joint group in comparison.json with its interval and any range over the seeds."""
    ranges = variant.get("seeds", {}).get("pck_range", {}).get(threshold, {})
    return add_range(format_score(variant, threshold, group), ranges.get(group))


def add_range(cell: str, ends: Sequence[float] | None) -> str:
    """Add the range over the seeds, if any, as another line of a cell: "90.0\\n89.0–91.0\\n[88.1–91.5]"."""
    return cell if ends is None else f"{cell}\n[{format_interval(ends)}]"


def format_duration(seconds: float | None) -> str:
    """Format a duration: "45 s", "12 min", "3.5 h"."""
    if seconds is None:
        return MISSING
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def join_words(words: Sequence[str]) -> str:
    """Join words as in a sentence: "a", "a and b", "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
