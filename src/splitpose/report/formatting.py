"""Numbers as the text of table cells."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

MISSING = "–"


def number(value: float | None, digits: int) -> str:
    """A number with `digits` decimals, a dash where there is none."""
    return MISSING if value is None or math.isnan(value) else f"{value:.{digits}f}"


def millions(value: float | None, digits: int = 2) -> str:
    """A count in millions."""
    return number(None if value is None else value / 1e6, digits)


def megabytes(value: float | None) -> str:
    """Bytes in MB of 10^6 bytes."""
    return number(None if value is None else value / 1e6, 2)


def loss(value: float | None) -> str:
    """A loss, e.g. 1.57e-04."""
    return MISSING if value is None or math.isnan(value) else f"{value:.2e}"


def with_interval(value: float | None, interval: Sequence[float] | None, signed: bool = False) -> str:
    """A figure with one decimal, its 95 % interval, if any, on a second line: "90.0\\n89.0–91.0"."""
    sign = "+" if signed else ""
    if value is None or math.isnan(value):
        return MISSING
    if interval is None or any(math.isnan(end) for end in interval):
        return f"{value:{sign}.1f}"
    low, high = interval
    between = " to " if signed else "–"  # a dash between signed numbers reads as a minus
    return f"{value:{sign}.1f}\n{low:{sign}.1f}{between}{high:{sign}.1f}"


def score(scores: Mapping[str, Any], threshold: str, group: str) -> str:
    """PCK of a joint or a mean, with its interval; `scores` has "pck", and the intervals within it or beside it."""
    at = scores["pck"].get(threshold, {})
    intervals = at.get("ci95") or scores.get("ci95", {}).get(threshold, {})
    return with_interval(at.get(group), intervals.get(group))
