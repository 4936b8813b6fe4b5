"""The tables of the report as plain text cells, the same for terminal, Markdown and page.

They say what was measured, with its 95 % interval where it has one, and leave the verdict to the reader.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from splitpose.deploy.runtime import PRECISIONS
from splitpose.report import published

MISSING = "–"
STAND_IN = (
    "Measured on rendered stand-in people (profile sample). "
    "These numbers say nothing of FLIC or of real photographs."
)
TERMINAL_WIDTH = 100


@dataclass(frozen=True)
class Table:
    """A table of text. A cell may have a second line, after a line break: its 95 % interval."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str

    def without(self, *headers: str) -> "Table":
        """The table without the columns of these headers."""
        keep = [k for k, header in enumerate(self.headers) if header not in headers]
        return replace(
            self,
            headers=tuple(self.headers[k] for k in keep),
            rows=tuple(tuple(row[k] for k in keep) for row in self.rows),
        )


def stand_in(comparison: Mapping[str, Any]) -> bool:
    """Whether the numbers are those of rendered people: the profile is `sample`, or one named after it."""
    return str(comparison["profile"]).startswith("sample")


def people(comparison: Mapping[str, Any]) -> str:
    """Who was measured, in a few words: stands beside every number of ours."""
    return "rendered stand-in people" if stand_in(comparison) else f"profile {comparison['profile']}"


def all_tables(comparison: Mapping[str, Any]) -> list[Table]:
    """Every table of the report, in reading order."""
    return [accuracy(comparison), files(comparison), *paper_tables(comparison)]


def accuracy(comparison: Mapping[str, Any]) -> Table:
    """One row a variant: size, work, PCK with intervals, losses."""
    rows = []
    for name, variant in comparison["variants"].items():
        rows.append(
            (
                name,
                millions(variant["parameters"]),
                millions(variant["macs"], digits=0),
                score(variant, "0.2", "mean"),
                score(variant, "0.2", "elbow"),
                score(variant, "0.2", "wrist"),
                score(variant, "0.1", "mean"),
                score(variant, "0.05", "mean"),
                loss(variant["train_loss"]),
                loss(variant["val_loss"]),
            )
        )
    return Table(
        title=f"Variants ({people(comparison)})",
        headers=(
            "variant",
            "params M",
            "MMACs",
            "PCK@0.2",
            "elbow",
            "wrist",
            "PCK@0.1",
            "PCK@0.05",
            "train loss",
            "val loss",
        ),
        rows=tuple(rows),
        note="PCK in percent, mean of all joints, with its 95 % interval; elbow and wrist at 0.2. "
        "Losses on coordinates and losses on heatmaps are of different kinds and do not compare.",
    )


def files(comparison: Mapping[str, Any]) -> Table:
    """One row a TFLite file: size, accuracy of the file itself, latency."""
    rows = []
    for name, variant in comparison["variants"].items():
        for precision in PRECISIONS:
            file = variant["tflite"][precision]
            rows.append(
                (
                    name,
                    precision,
                    megabytes(file["bytes"]),
                    number(file["pck_0.2_mean"], 1),
                    number(file["p50_ms"], 2),
                    number(file["p95_ms"], 2),
                    "yes" if file["fully_delegated"] else "no",
                )
            )
    return Table(
        title=f"TFLite files ({people(comparison)})",
        headers=("variant", "precision", "MB", "PCK@0.2", "p50 ms", "p95 ms", "fully delegated"),
        rows=tuple(rows),
        note="PCK is measured on the file itself. Latency is of one picture on the benchmark's device: "
        "half of the runs took no longer than p50, 95 % no longer than p95. "
        "Fully delegated: XNNPACK runs every operation.",
    )


def paper_tables(comparison: Mapping[str, Any]) -> list[Table]:
    """The paper's three tables: the published rows first, ours below them."""
    return [_table_1(comparison), _table_2(comparison), _table_3(comparison)]


def _table_1(comparison: Mapping[str, Any]) -> Table:
    theirs = [(row.name, number(row.elbows, 1), number(row.wrists, 1), "published") for row in published.TABLE_1]
    ours = [
        (name, score(variant, "0.2", "elbow"), score(variant, "0.2", "wrist"), people(comparison))
        for name, variant in comparison["variants"].items()
    ]
    return Table(
        title="Paper, Table 1: PCK@0.2 of elbows and wrists",
        headers=("model", "elbows", "wrists", "numbers"),
        rows=(*theirs, *ours),
        note=_beside(comparison)
        + "The paper prints no intervals; on FLIC's 1,016 test rows a 95 % interval is about "
        "+/-0.7 for elbows and +/-1.0 for wrists.",
    )


def _table_2(comparison: Mapping[str, Any]) -> Table:
    theirs = [
        (
            row.name,
            number(row.accuracy, 1),
            number(row.milliseconds, 0),
            number(row.parameters, 1),
            number(row.megabytes, 0),
            "published",
        )
        for row in published.TABLE_2
    ]
    ours = [
        (
            name,
            score(variant, "0.2", "mean"),
            number(variant["tflite"]["float32"]["p50_ms"], 1),
            millions(variant["parameters"]),
            megabytes(variant["tflite"]["float32"]["bytes"]),
            people(comparison),
        )
        for name, variant in comparison["variants"].items()
    ]
    return Table(
        title="Paper, Table 2: accuracy, speed and size",
        headers=("model", "accuracy", "ms", "params M", "MB", "numbers"),
        rows=(*theirs, *ours),
        note=_beside(comparison)
        + "Published: on a GPU; the sizes of the first two fit 16 bytes a parameter, a checkpoint with the "
        "optimizer's state. Ours: the float32 TFLite file, its p50 on the benchmark's device. The published "
        "4.3 M fits a flattened head (no_gap here); the paper's text has the baseline pool (baseline here).",
    )


def _table_3(comparison: Mapping[str, Any]) -> Table:
    theirs = [
        (row.name, loss(row.train_error), loss(row.validation_error), number(row.accuracy, 1), "published")
        for row in published.TABLE_3
    ]
    variants = comparison["variants"]
    ours = [
        (
            row.variant,
            loss(variants[row.variant]["train_loss"]),
            loss(variants[row.variant]["val_loss"]),
            score(variants[row.variant], "0.2", "mean"),
            people(comparison),
        )
        for row in published.TABLE_3
        if row.variant in variants
    ]
    return Table(
        title="Paper, Table 3: pooling, none, split",
        headers=("model", "train error", "val error", "accuracy", "numbers"),
        rows=(*theirs, *ours),
        note=_beside(comparison)
        + "The paper does not give the unit of its errors; its authors chose checkpoints on the test set. "
        "Our validation people are cut from the training rows, whole films or pictures at a time.",
    )


def _beside(comparison: Mapping[str, Any]) -> str:
    """What must be known before a published row is read against one of ours."""
    if stand_in(comparison):
        return "Published rows are of FLIC, ours of rendered stand-in people: they do not compare. "
    if comparison["profile"] == "flic":
        return ""
    return f"Published rows are of FLIC, ours of profile {comparison['profile']}: they do not compare. "


def label_ceiling(agreement: Mapping[str, Any]) -> Table | None:
    """How far two annotators agree, one row a split and threshold; None if nobody is annotated twice.

    `agreement` has what `scoring.agreement` gives for each split.
    """
    rows = []
    for split, found in agreement.items():
        for threshold in sorted(found["pck"], key=float, reverse=True):
            pck = {threshold: found["pck"][threshold] | {"ci95": found["ci95"][threshold]}}
            scores = [score({"pck": pck}, threshold, joint) for joint in ("mean", "elbow", "wrist", "lhip", "rhip")]
            rows.append((split, str(found["pairs"]), f"@{threshold}", *scores))
    if not rows:
        return None
    return Table(
        title="How far two annotators agree: a ceiling for any model",
        headers=("people", "pairs", "PCK", "mean", "elbow", "wrist", "lhip", "rhip"),
        rows=tuple(rows),
        note="PCK in percent of one annotation of a person against another one of the same person, the mean of "
        "both directions, with its 95 % interval over pairs.",
    )


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


def score(variant: Mapping[str, Any], threshold: str, joint: str) -> str:
    """PCK of a joint or a mean in percent, its 95 % interval on a second line."""
    at = variant["pck"].get(threshold, {})
    value = number(at.get(joint), 1)
    low, high = at.get("ci95", {}).get(joint) or (None, None)
    return value if MISSING in (number(low, 1), value) else f"{value}\n{number(low, 1)}–{number(high, 1)}"


def terminal(comparison: Mapping[str, Any]) -> None:
    """Print the comparison to the terminal, at most 100 columns wide, and where to look next."""
    console = Console(highlight=False)
    console.width = min(console.width, TERMINAL_WIDTH) if console.is_terminal else TERMINAL_WIDTH
    for table in (accuracy(comparison).without("train loss", "val loss"), files(comparison)):
        console.print(_rich(table))
        console.print()
    if stand_in(comparison):
        console.print(Text(STAND_IN, style="yellow"))
    console.print("All of it: reports/index.html   Runs and curves: make ui")


def _rich(table: Table) -> RichTable:
    """The table for rich; names to the left, numbers to the right."""
    out = RichTable(title=table.title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for k, header in enumerate(table.headers):
        out.add_column(header, justify="left" if k == 0 else "right", overflow="fold")
    for row in table.rows:
        out.add_row(*[Text(cell) for cell in row])
    return out
