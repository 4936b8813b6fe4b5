"""Scores of a predictions CSV as a table for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from splitpose.evaluation.summary import GROUPS
from splitpose.skeleton import FULL_NAMES

GROUP_NAMES = {"mean": "mean of the joints", "elbow": "elbows", "wrist": "wrists", **FULL_NAMES}
VIEWPOINTS = {
    "as-is": "left and right as annotated",
    "observer": "left and right as the observer sees them",
}
WIDTH = 110


def print_scores(result: Mapping[str, Any]) -> None:
    """Print the result of `csv_scoring.score`: scores by joint, protocol, and everything that is not scored."""
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
            cells = [_format(values[group], intervals[group]) for values, intervals in columns.values()]
            out.add_row(GROUP_NAMES[group], *cells)
    return out


def _format(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{value:.1f} ({low:.1f}–{high:.1f})"


def _notes(result: Mapping[str, Any]) -> list[str]:
    start, end = result["torso"].split("-")
    cluster = result["bootstrap_cluster"]
    unit = f"clusters of rows with the same {cluster!r}" if cluster else "people"
    notes = [
        f"Percent of annotated joints, with 95 % intervals (bootstrap over {unit}).",
        "AUC: area under the PCK curve from 0 to the stated threshold.",
        f"Torso diameter: {FULL_NAMES[start]} to {FULL_NAMES[end]} of the annotations ({result['torso']}).",
        f"Viewpoint: {VIEWPOINTS[result['viewpoint']]} ({result['viewpoint']}).",
    ]
    (area,) = result["auc"].values()
    if unscored := [name for name in FULL_NAMES if area[name] is None]:
        notes.append(f"Not scored because not in both files: {', '.join(FULL_NAMES[name] for name in unscored)}.")
    if result["without_torso"]:
        notes.append(
            f"Not scored because their torso is not annotated: {result['without_torso']} of {result['n']} people."
        )
    return notes
