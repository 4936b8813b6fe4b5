"""The comparison of all variants as tables, for the report and the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from splitpose.report.document import Table
from splitpose.report.formatting import loss, megabytes, millions, number, score, with_interval
from splitpose.settings import PRECISIONS

STAND_IN = (
    "Measured on rendered stand-in people (profile sample). "
    "These numbers say nothing of FLIC or of real photographs."
)
TERMINAL_WIDTH = 100


def stand_in(comparison: Mapping[str, Any]) -> bool:
    """Whether the numbers are those of rendered people: the profile is `sample`, or one named after it."""
    return str(comparison["profile"]).startswith("sample")


def people(comparison: Mapping[str, Any]) -> str:
    """Who was measured, in a few words: stands beside every number of ours."""
    return "rendered stand-in people" if stand_in(comparison) else f"profile {comparison['profile']}"


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
                *(with_interval(area["mean"], area["ci95"]["mean"]) for area in variant["auc"].values()),
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
            *limits(comparison),
            "train loss",
            "val loss",
        ),
        rows=tuple(rows),
        note="PCK in percent, mean of all joints, with its 95 % interval; elbow and wrist at 0.2. "
        "MMACs are of one run; the flip test, where the profile asks for it, takes two. "
        "AUC: area under the PCK curve from 0 to the threshold named, in percent. "
        "Losses on coordinates and losses on heatmaps are of different kinds and do not compare.",
    )


def limits(comparison: Mapping[str, Any]) -> list[str]:
    """Headers of the areas under the PCK curve, "AUC@0.2"."""
    return list(dict.fromkeys(f"AUC@{limit}" for one in comparison["variants"].values() for limit in one["auc"]))


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
        note="PCK is measured on the file itself, always without the flip test. Latency is of one picture "
        "on the benchmark's device: half of the runs took no longer than p50, 95 % no longer than p95. "
        "Fully delegated: XNNPACK runs every operation.",
    )


def terminal(comparison: Mapping[str, Any]) -> None:
    """Print the comparison to the terminal, at most 100 columns wide, and where to look next."""
    console = Console(highlight=False)
    console.width = min(console.width, TERMINAL_WIDTH) if console.is_terminal else TERMINAL_WIDTH
    for table in (accuracy(comparison).without("train loss", "val loss", *limits(comparison)), files(comparison)):
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
