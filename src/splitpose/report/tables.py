"""Tables of the comparison of all variants, for the report and the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from splitpose.report import seeds
from splitpose.report.document import Table
from splitpose.report.formatting import (
    add_range,
    format_duration,
    format_loss,
    format_megabytes,
    format_millions,
    format_number,
    format_score_and_range,
    format_with_interval,
)
from splitpose.settings import PRECISIONS

SYNTHETIC_WARNING = (
    "Measured on synthetic (rendered) people of profile sample. "
    "These numbers do not transfer to FLIC or to real photographs."
)
TERMINAL_WIDTH = 100
SECONDS = ("train_frozen_seconds", "fine_tune_seconds")
"""Keys of a variant's training times."""


def is_synthetic(comparison: Mapping[str, Any]) -> bool:
    """Return whether the results are from rendered people: profile `sample`, or a profile named after it."""
    return str(comparison["profile"]).startswith("sample")


def describe_data(comparison: Mapping[str, Any]) -> str:
    """Describe the data of the results in a few words, which are shown with every result of this project."""
    return "synthetic people" if is_synthetic(comparison) else f"profile {comparison['profile']}"


def accuracy_table(
    comparison: Mapping[str, Any], timings: Mapping[str, Mapping[str, float | None]] | None = None
) -> Table:
    """Return one row per variant: parameters, MACs, PCK and AUC with intervals, and the training time if recorded.

    Scores of several seeds are means, with the range over the seeds.

    Args:
        comparison: content of comparison.json.
        timings: seconds of both training phases, summed over the repeats, for variants whose training was timed.
    """
    timings = timings or {}
    rows = tuple(
        (
            name,
            format_millions(variant["parameters"]),
            format_millions(variant["macs"], digits=0),
            format_score_and_range(variant, "0.2", "mean"),
            format_score_and_range(variant, "0.2", "elbow"),
            format_score_and_range(variant, "0.2", "wrist"),
            format_score_and_range(variant, "0.1", "mean"),
            format_score_and_range(variant, "0.05", "mean"),
            *(_format_area(variant, limit) for limit in variant["auc"]),
            *([format_duration(_sum_seconds(timings.get(name)))] if timings else []),
        )
        for name, variant in comparison["variants"].items()
    )
    headers = ("variant", "params M", "MMACs", "PCK@0.2", "elbow", "wrist", "PCK@0.1", "PCK@0.05")
    return Table(
        title=f"Accuracy of the variants ({describe_data(comparison)})",
        headers=(*headers, *auc_headers(comparison), *(["training"] if timings else [])),
        rows=rows,
        note=f"PCK in percent, mean over all joints; elbow and wrist at 0.2. {seeds.describe_scores(comparison)} "
        "MMACs: million multiply-accumulate operations of one forward pass; the flip test needs two. "
        "AUC: area under the PCK curve from 0 to the stated threshold, in percent."
        + (f" Training: wall-clock time of both phases{_all_repeats(comparison)}." if timings else ""),
    )


def _all_repeats(comparison: Mapping[str, Any]) -> str:
    """Return " of all repeats" if there are several."""
    return " of all repeats" if seeds.has_several(comparison) else ""


def _format_area(variant: Mapping[str, Any], limit: str) -> str:
    """Format the mean AUC of a variant with its interval and, if any, its range over the seeds."""
    area = variant["auc"][limit]
    ranges = variant.get("seeds", {}).get("auc_range", {}).get(limit, {})
    return add_range(format_with_interval(area["mean"], area["ci95"]["mean"]), ranges.get("mean"))


def _sum_seconds(timings: Mapping[str, float | None] | None) -> float | None:
    """Return the training time of both phases, None unless both are known."""
    seconds = [(timings or {}).get(phase) for phase in SECONDS]
    return None if None in seconds else sum(filter(None, seconds))


def auc_headers(comparison: Mapping[str, Any]) -> list[str]:
    """Return the headers of the AUC columns, e.g. "AUC@0.2"."""
    return list(
        dict.fromkeys(f"AUC@{limit}" for variant in comparison["variants"].values() for limit in variant["auc"])
    )


def tflite_table(comparison: Mapping[str, Any]) -> Table:
    """Return one row per TFLite file: size, accuracy of the file itself, latency."""
    rows = []
    for name, variant in comparison["variants"].items():
        for precision in PRECISIONS:
            file = variant["tflite"][precision]
            rows.append(
                (
                    name,
                    precision,
                    format_megabytes(file["bytes"]),
                    format_number(file["pck_0.2_mean"], 1),
                    format_number(file["p50_ms"], 2),
                    format_number(file["p95_ms"], 2),
                    "yes" if file["fully_delegated"] else "no",
                )
            )
    return Table(
        title=f"TFLite files ({describe_data(comparison)})",
        headers=("variant", "precision", "MB", "PCK@0.2", "p50 ms", "p95 ms", "fully delegated"),
        rows=tuple(rows),
        note="PCK is measured on the file itself, on all test instances and without the flip test; the gate of "
        "`splitpose retrain` leaves out those that a compared model was trained on. Latency is that of one image "
        "on the target device (median and 95th percentile). Fully delegated: XNNPACK runs every operation."
        + (" The files are those of each variant's exported repeat." if seeds.has_several(comparison) else ""),
    )


def training_table(
    comparison: Mapping[str, Any],
    metrics: Mapping[str, Mapping[str, Any]],
    timings: Mapping[str, Mapping[str, float | None]],
) -> Table:
    """Return one row per variant: the iteration of the kept weights, their losses, and the training times.

    Args:
        comparison: content of comparison.json.
        metrics: metrics of each variant.
        timings: seconds of both training phases, summed over the repeats, for variants whose training was timed.
    """
    rows = []
    for name, variant in comparison["variants"].items():
        seconds = [timings.get(name, {}).get(phase) for phase in SECONDS]
        rows.append(
            (
                name,
                str(metrics[name]["best_iteration"]),
                format_loss(variant["train_loss"]),
                format_loss(variant["val_loss"]),
                *map(format_duration, seconds),
            )
        )
    return Table(
        title=f"Training ({describe_data(comparison)})",
        headers=("variant", "best iteration", "train loss", "val loss", "frozen phase", "fine-tuning"),
        rows=tuple(rows),
        note="Best iteration: the validation step whose weights were kept, and its losses. Losses on coordinates "
        "and losses on heatmaps are not comparable. Training times: wall-clock time of each phase"
        + (f"{_all_repeats(comparison)}." if timings else "; not recorded.")
        + (" All other values are those of the exported repeat." if seeds.has_several(comparison) else ""),
    )


def print_comparison(comparison: Mapping[str, Any]) -> None:
    """Print the comparison to the terminal, at most 100 columns wide."""
    console = Console(highlight=False)
    console.width = min(console.width, TERMINAL_WIDTH) if console.is_terminal else TERMINAL_WIDTH
    console.print(_to_rich(accuracy_table(comparison).without(*auc_headers(comparison))))
    console.print(Text(seeds.describe_scores(comparison)))
    console.print()
    console.print(_to_rich(tflite_table(comparison)))
    if seeds.has_several(comparison):
        console.print("The files are those of each variant's exported repeat.")
    console.print()
    if is_synthetic(comparison):
        console.print(Text(SYNTHETIC_WARNING, style="yellow"))


def _to_rich(table: Table) -> RichTable:
    """Convert a table for rich, with names aligned left and numbers right."""
    out = RichTable(title=table.title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for k, header in enumerate(table.headers):
        out.add_column(header, justify="left" if k == 0 else "right", overflow="fold")
    for row in table.rows:
        out.add_row(*[Text(cell) for cell in row])
    return out
