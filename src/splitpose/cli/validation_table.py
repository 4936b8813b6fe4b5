"""The validation result of a source as a table for the terminal."""

from collections.abc import Iterator

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from splitpose.data.format_detection import DetectedSource
from splitpose.validation import ValidationResult
from splitpose.validation.expectation_suites import POSTCONDITIONS, PRECONDITIONS, QUARANTINE, WARNINGS, Suite

MAX_EXAMPLES = 3
"""Rows that are shown for each rule."""

WIDTH = 110
STYLES = {"failed": "red", "quarantined": "yellow", "warning": "cyan"}


def print_validation_result(source: DetectedSource, result: ValidationResult) -> None:
    """Print the contents of the source and the result of each rule."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    instances, images = len(source.table), source.table["image"].nunique()
    console.print(
        f"{source.format}: {instances:,} person instances in {images:,} images below {source.root}", soft_wrap=True
    )
    for reason, count in source.skipped.items():
        console.print(f"{count:,} annotations skipped: {reason}")
    for note in source.notes:
        console.print(f"note: {note}", soft_wrap=True, markup=False)
    console.print(_table(source, result))
    for finding in result.findings:
        console.print(Text(f"likely cause: {finding}", STYLES["warning"]), soft_wrap=True)


def _table(source: DetectedSource, result: ValidationResult) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for header, justify in (("rule", "left"), ("result", "left"), ("rows", "right"), ("details", "left")):
        table.add_column(header, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for rule, outcome, rows, details in _rows(source, result):
        table.add_row(rule, Text(outcome, STYLES.get(outcome, "")), rows, Text(details))
    return table


def _rows(source: DetectedSource, result: ValidationResult) -> Iterator[tuple[str, str, str, str]]:
    """Yield rule, result, number of rows and details for every rule."""
    # There is no result if a precondition fails.
    yield PRECONDITIONS.name, "passed", "", ", ".join(rule.name for rule in PRECONDITIONS.rules)
    yield from _row_rules(QUARANTINE, "quarantined", result.quarantine)
    yield from _row_rules(WARNINGS, "warning", result.warnings)
    postconditions = POSTCONDITIONS if source.has_splits else POSTCONDITIONS.without("required_splits")
    failures = dict(line.split(": ", 1) for line in result.summary["failures"])
    for rule in postconditions.rules:
        yield rule.name, "failed" if rule.name in failures else "passed", "", failures.get(rule.name, "")


def _row_rules(suite: Suite, outcome: str, listing: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    for rule in suite.rules:
        rows = listing[listing["rule"] == rule.name]
        if rows.empty:
            yield rule.name, "passed", "0", ""
        else:
            # To correct an unreadable image, its path is required, not the id of one of its instances.
            names = rows["image"] if rule.name == "unreadable_image" else rows["id"]
            examples = [f"{name}: {value}" for name, value in zip(names, rows["value"], strict=True)][:MAX_EXAMPLES]
            more = [f"and {len(rows) - MAX_EXAMPLES:,} more"] if len(rows) > MAX_EXAMPLES else []
            yield rule.name, outcome, f"{len(rows):,}", "\n".join([rule.reason, *examples, *more])
