"""The champion, the reference and the history of decisions as tables for the terminal."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from splitpose.promotion.decision import Decision

WIDTH = 140
"""Columns if the output is not a terminal."""
UNKNOWN = "not recorded"


def print_status(status: Mapping[str, Any]) -> None:
    """Print the result of `champion_status.read_status`."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDTH
    for name in ("champion", "reference"):
        model = status[name]
        console.print(f"{name.capitalize()} of {status['profile']}", style="bold")
        facts = list(_facts(model)) if model else [("version", "there is none")]
        for label, text in facts:
            console.print(f"  {label:<16}  {text}", soft_wrap=True)  # a path remains in one line
        console.print()
    console.print("Decisions, the latest first", style="bold")
    console.print(_history_table(status["decisions"]) if status["decisions"] else "  none is logged")


def _facts(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every fact about a version."""
    file, metrics, training = model["file"], model["metrics"], model["training"]
    yield "version", f"{model['version']} ({model['variant']} {model['precision']}), MLflow run {model['run']}"
    yield "since", _since(model["decision"])
    if metrics:
        yield "mean PCK@0.2", f"{metrics['pck_0.2_mean']:.1f} on {metrics['evaluation_set']}"
        yield "p95 latency", f"{metrics['p95_ms']:g} ms on the target {metrics['target']}"
        yield "measured", f"by the gate on {_time(metrics['time'])}"
    else:
        yield (
            "metrics",
            f"{UNKNOWN} in the decision log; the next `splitpose retrain` with a new model measures them",
        )
    size = UNKNOWN if file["bytes"] is None else f"{file['bytes']:,} bytes"
    yield "file", f"{file['location']} ({size})" if file["error"] is None else f"NOT AVAILABLE: {file['error']}"
    yield "SHA-256", file["sha256"]
    yield "trained on", training["description"] or UNKNOWN
    yield "record of groups", training["groups"] or UNKNOWN


def _since(decision: Mapping[str, Any] | None) -> str:
    if decision is None:
        return f"{UNKNOWN} in the decision log"
    record = Decision(**decision)
    return f"{_time(record.time)}, {record.author}: {record.reason}"


def _history_table(decisions: list[dict[str, Any]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 2))
    for header in ("time (UTC)", "action", "version", "champion before", "by"):
        table.add_column(header, no_wrap=header != "by")
    table.add_column("reason", overflow="fold")
    for values in reversed(decisions):
        decision = Decision(**values)
        table.add_row(
            _time(decision.time),
            f"{decision.action} (dry run)" if decision.dry_run else decision.action,
            _number(decision.challenger),
            _number(decision.champion),
            decision.author,
            decision.reason,
        )
    return table


def _number(model: Mapping[str, Any] | None) -> str:
    return str(model.get("number") or "new") if model else "-"


def _time(text: str) -> str:
    """Return the time of a decision in UTC to the minute, unchanged if it has another format."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return text
