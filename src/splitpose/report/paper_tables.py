"""The paper's tables with the published rows first and the rows of this project below them."""

from collections.abc import Mapping
from typing import Any

from splitpose.report import paper_results, seeds
from splitpose.report.document import Table
from splitpose.report.formatting import (
    format_loss,
    format_megabytes,
    format_millions,
    format_number,
    format_score,
)
from splitpose.report.tables import describe_data, is_synthetic


def paper_tables(comparison: Mapping[str, Any], protocol: Mapping[str, Any]) -> list[Table]:
    """Return the paper's three tables, the published rows first.

    Args:
        comparison: content of comparison.json.
        protocol: how the variants were scored: {"viewpoint", "flip_test", ...}.
    """
    return [table(comparison, protocol) for table in (_table_1, _table_2, _table_3)]


def _table_1(comparison: Mapping[str, Any], protocol: Mapping[str, Any]) -> Table:
    published = [
        (row.name, format_number(row.elbows, 1), format_number(row.wrists, 1), "published")
        for row in paper_results.TABLE_1
    ]
    own = [
        (
            name,
            format_score(variant, "0.2", "elbow"),
            format_score(variant, "0.2", "wrist"),
            describe_data(comparison),
        )
        for name, variant in comparison["variants"].items()
    ]
    return Table(
        title="Paper, Table 1: PCK@0.2 of elbows and wrists",
        headers=("model", "elbows", "wrists", "source"),
        rows=(*published, *own),
        note=_describe_comparability(comparison, protocol)
        + "The paper prints no intervals; on FLIC's 1,016 test rows a 95 % interval is about "
        "+/-0.7 for elbows and +/-1.0 for wrists.",
    )


def _table_2(comparison: Mapping[str, Any], protocol: Mapping[str, Any]) -> Table:
    passes, latency = (
        (2, "twice its p50, for the flip test's two passes,") if protocol["flip_test"] else (1, "its p50")
    )
    published = [
        (
            row.name,
            format_number(row.accuracy, 1),
            format_number(row.milliseconds, 0),
            format_number(row.parameters, 1),
            format_number(row.megabytes, 0),
            "published",
        )
        for row in paper_results.TABLE_2
    ]
    own = [
        (
            name,
            format_score(variant, "0.2", "mean"),
            format_number(passes * variant["tflite"]["float32"]["p50_ms"], 1),
            format_millions(variant["parameters"]),
            format_megabytes(variant["tflite"]["float32"]["bytes"]),
            describe_data(comparison),
        )
        for name, variant in comparison["variants"].items()
    ]
    return Table(
        title="Paper, Table 2: accuracy, speed and size",
        headers=("model", "accuracy", "ms", "params M", "MB", "source"),
        rows=(*published, *own),
        note=_describe_comparability(comparison, protocol)
        + "Published: on a GPU; the sizes of the first two match 16 bytes per parameter, a checkpoint with the "
        f"optimizer state. Ours: the float32 TFLite file, {latency} on the benchmark's device. The published "
        "4.3 M matches a flattened head (no_gap here); by the text, the baseline pools globally (baseline here).",
    )


def _table_3(comparison: Mapping[str, Any], protocol: Mapping[str, Any]) -> Table:
    published = [
        (
            row.name,
            format_loss(row.train_error),
            format_loss(row.validation_error),
            format_number(row.accuracy, 1),
            "published",
        )
        for row in paper_results.TABLE_3
    ]
    variants = comparison["variants"]
    own = [
        (
            row.variant,
            format_loss(variants[row.variant]["train_loss"]),
            format_loss(variants[row.variant]["val_loss"]),
            format_score(variants[row.variant], "0.2", "mean"),
            describe_data(comparison),
        )
        for row in paper_results.TABLE_3
        if row.variant in variants
    ]
    return Table(
        title="Paper, Table 3: global pooling, no pooling, split",
        headers=("model", "train error", "val error", "accuracy", "source"),
        rows=(*published, *own),
        note=_describe_comparability(comparison, protocol)
        + "The paper does not state the unit of its errors; its authors selected checkpoints on the test set. "
        "Our validation split is taken from the training rows, film by film or image by image.",
    )


def _describe_comparability(comparison: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    """Describe the limitations of comparing a published row with a row of this project."""
    note = ""
    if seeds.has_several(comparison):
        note = (
            f"Our PCK is the mean over {seeds.describe_count(comparison)}, with its 95 % interval "
            f"{seeds.describe_coverage(comparison)}; losses and latency are those of the exported repeat. "
        )
    if is_synthetic(comparison):
        note += "Published rows are from FLIC, ours from synthetic people: they are not comparable. "
    elif comparison["profile"] != "flic":
        note += (
            f"Published rows are from FLIC, ours from profile {comparison['profile']}: they are not comparable. "
        )
    if protocol["viewpoint"] == "person":
        note += (
            "Left and right are the observer's in published rows, the person's own in ours, which scores about "
            "5 points lower on FLIC. "
        )
    return note
