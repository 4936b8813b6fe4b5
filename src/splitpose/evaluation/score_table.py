"""Scores of a pair of files as a table for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from splitpose.evaluation.summary import GROUPS
from splitpose.skeleton import FULL_NAMES

NAMES = {"mean": "mean of the joints", "elbow": "elbows", "wrist": "wrists", **FULL_NAMES}
VIEWPOINTS = {
    "as-is": "left and right as annotated",
    "observer": "left and right as the observer sees them",
}
WIDTH = 110


def print_scores(result: Mapping[str, Any]) -> None:
    """Print what `files.score` returns: who was scored and how, every joint, what is left out."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    console.print(_table(result))
    console.print("\n".join(_notes(result)), soft_wrap=True)


def _table(result: Mapping[str, Any]) -> Table:
    (limit, area), *_ = result["auc"].items()
    columns = {f"PCK@{at}": (groups, result["ci95"][at]) for at, groups in result["pck"].items()}
    columns[f"AUC@{limit}"] = (area, area["ci95"])
    out = Table(box=None, padding=(0, 2, 0, 0))
    out.add_column(f"{result['n']} people")
    for header in columns:
        out.add_column(header, justify="right")
    for group in GROUPS:
        if area[group] is not None:
            cells = [_cell(values[group], intervals[group]) for values, intervals in columns.values()]
            out.add_row(NAMES[group], *cells)
    return out


def _cell(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{value:.1f} ({low:.1f}–{high:.1f})"


def _notes(result: Mapping[str, Any]) -> list[str]:
    start, end = result["torso"].split("-")
    drawn = f"with those who share {result['cluster']!r}" if result["cluster"] else "alone"
    notes = [
        f"Percent of people, with 95 % intervals (bootstrap, each person drawn {drawn}).",
        "AUC: area under the PCK curve from 0 to the threshold named.",
        f"Torso diameter: {FULL_NAMES[start]} to {FULL_NAMES[end]} of the annotations ({result['torso']}).",
        f"Viewpoint: {VIEWPOINTS[result['viewpoint']]} ({result['viewpoint']}).",
    ]
    (area,) = result["auc"].values()
    if left_out := [name for name in FULL_NAMES if area[name] is None]:
        notes.append(f"Not scored, because not in both files: {', '.join(FULL_NAMES[name] for name in left_out)}.")
    if result["without_torso"]:
        notes.append(
            f"Not scored, because no torso is annotated: {result['without_torso']} of {result['n']} people."
        )
    return notes
