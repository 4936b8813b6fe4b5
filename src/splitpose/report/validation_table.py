"""What the checks say of a source, for the terminal."""

from collections.abc import Iterator

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from splitpose.data.format_detection import Source
from splitpose.validation import ValidationResult
from splitpose.validation.expectation_suites import POSTCONDITIONS, PRECONDITIONS, QUARANTINE, TOLD, Suite

EXAMPLES = 3
"""Rows that are shown of a rule."""

WIDTH = 110
STYLES = {"fails": "red", "left out": "yellow", "told": "cyan"}


def print_validation_result(source: Source, verdict: ValidationResult) -> None:
    """Print who is in the source and what each rule found."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    people, pictures = len(source.table), source.table["image"].nunique()
    console.print(f"{source.kind}: {people} people in {pictures} pictures below {source.root}", soft_wrap=True)
    for reason, left_out in source.left_out.items():
        console.print(f"not read: {left_out} people, {reason}")
    console.print(_table(source, verdict))


def _table(source: Source, verdict: ValidationResult) -> Table:
    out = Table(box=None, padding=(0, 2, 0, 0))
    for header, justify in (("rule", "left"), ("outcome", "left"), ("rows", "right"), ("what is wrong", "left")):
        out.add_column(header, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for rule, outcome, rows, wrong in _rows(source, verdict):
        out.add_row(rule, Text(outcome, STYLES.get(outcome, "")), rows, Text(wrong))
    return out


def _rows(source: Source, verdict: ValidationResult) -> Iterator[tuple[str, str, str, str]]:
    """Rule, outcome, rows and what is wrong, of every rule."""
    # There is no verdict where one of these fails.
    yield PRECONDITIONS.name, "holds", "", ", ".join(rule.name for rule in PRECONDITIONS.rules)
    yield from _of_rows(QUARANTINE, "left out", verdict.quarantine)
    yield from _of_rows(TOLD, "told", verdict.told)
    must_remain = POSTCONDITIONS if source.splits_are_cut else POSTCONDITIONS.without("train_and_test")
    lines = dict(line.split(": ", 1) for line in verdict.summary["failures"])
    for rule in must_remain.rules:
        yield rule.name, "fails" if rule.name in lines else "holds", "", lines.get(rule.name, "")


def _of_rows(suite: Suite, outcome: str, found: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    for rule in suite.rules:
        rows = found[found["rule"] == rule.name]
        if rows.empty:
            yield rule.name, "ok", "0", ""
        else:
            first = [f"{row.id}: {row.value}" for row in rows.head(EXAMPLES).itertuples()]
            more = [f"and {len(rows) - EXAMPLES} more"] if len(rows) > EXAMPLES else []
            yield rule.name, outcome, str(len(rows)), "\n".join([rule.reason, *first, *more])
