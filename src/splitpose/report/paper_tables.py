"""The paper's tables: the published rows, and ours below them."""

from collections.abc import Mapping
from typing import Any

from splitpose.report import paper_results
from splitpose.report.document import Table
from splitpose.report.formatting import loss, megabytes, millions, number, score
from splitpose.report.tables import people, stand_in


def paper_tables(comparison: Mapping[str, Any], protocol: Mapping[str, Any]) -> list[Table]:
    """The paper's three tables: the published rows first, ours below them.

    `comparison` is what `comparison.compare` gives, `protocol` what `comparison.protocol` gives.
    """
    return [table(comparison, protocol) for table in (_table_1, _table_2, _table_3)]


def _table_1(comparison: Mapping[str, Any], protocol: Mapping[str, Any]) -> Table:
    theirs = [
        (row.name, number(row.elbows, 1), number(row.wrists, 1), "published") for row in paper_results.TABLE_1
    ]
    ours = [
        (name, score(variant, "0.2", "elbow"), score(variant, "0.2", "wrist"), people(comparison))
        for name, variant in comparison["variants"].items()
    ]
    return Table(
        title="Paper, Table 1: PCK@0.2 of elbows and wrists",
        headers=("model", "elbows", "wrists", "numbers"),
        rows=(*theirs, *ours),
        note=_beside(comparison, protocol)
        + "The paper prints no intervals; on FLIC's 1,016 test rows a 95 % interval is about "
        "+/-0.7 for elbows and +/-1.0 for wrists.",
    )


def _table_2(comparison: Mapping[str, Any], protocol: Mapping[str, Any]) -> Table:
    runs, cost = (2, "twice its p50, for the flip test's two runs,") if protocol["flip_test"] else (1, "its p50")
    theirs = [
        (
            row.name,
            number(row.accuracy, 1),
            number(row.milliseconds, 0),
            number(row.parameters, 1),
            number(row.megabytes, 0),
            "published",
        )
        for row in paper_results.TABLE_2
    ]
    ours = [
        (
            name,
            score(variant, "0.2", "mean"),
            number(runs * variant["tflite"]["float32"]["p50_ms"], 1),
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
        note=_beside(comparison, protocol)
        + "Published: on a GPU; the sizes of the first two fit 16 bytes a parameter, a checkpoint with the "
        f"optimizer's state. Ours: the float32 TFLite file, {cost} on the benchmark's device. The published "
        "4.3 M fits a flattened head (no_gap here); the paper's text has the baseline pool (baseline here).",
    )


def _table_3(comparison: Mapping[str, Any], protocol: Mapping[str, Any]) -> Table:
    theirs = [
        (row.name, loss(row.train_error), loss(row.validation_error), number(row.accuracy, 1), "published")
        for row in paper_results.TABLE_3
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
        for row in paper_results.TABLE_3
        if row.variant in variants
    ]
    return Table(
        title="Paper, Table 3: pooling, none, split",
        headers=("model", "train error", "val error", "accuracy", "numbers"),
        rows=(*theirs, *ours),
        note=_beside(comparison, protocol)
        + "The paper does not give the unit of its errors; its authors chose checkpoints on the test set. "
        "Our validation people are cut from the training rows, whole films or pictures at a time.",
    )


def _beside(comparison: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    """What must be known before a published row is read against one of ours."""
    told = ""
    if stand_in(comparison):
        told = "Published rows are of FLIC, ours of rendered stand-in people: they do not compare. "
    elif comparison["profile"] != "flic":
        told = f"Published rows are of FLIC, ours of profile {comparison['profile']}: they do not compare. "
    if protocol["viewpoint"] == "person":
        told += (
            "Left and right are the observer's in published rows, the person's own in ours, which scores about "
            "5 points lower on FLIC. "
        )
    return told
