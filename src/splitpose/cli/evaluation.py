"""Commands that compute or show accuracy: score and compare."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from splitpose import paths


def score(
    annotations: Annotated[Path, typer.Option(metavar="CSV", help="Annotated joints (ground truth).")],
    predictions: Annotated[
        Path, typer.Option(metavar="CSV", help="Predicted joints, one row for each annotated id.")
    ],
    thresholds: Annotated[
        list[float] | None,
        typer.Option(
            metavar="T...",
            help="Thresholds in torso diameters; the AUC ends at the largest one (default: 0.05 0.1 0.2).",
        ),
    ] = None,
    torso: Annotated[
        Literal["lsho-rhip", "rsho-lhip"],
        typer.Option(help="The joints whose distance is the torso diameter; FLIC's protocol uses lsho-rhip."),
    ] = "lsho-rhip",
    viewpoint: Annotated[
        Literal["as-is", "observer"],
        typer.Option(
            help="observer: swap left and right in annotations whose right shoulder is to the right of the left "
            "one, as in the results published on FLIC; as-is: score the annotations unchanged."
        ),
    ] = "as-is",
    bootstrap_cluster: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column of the annotations, for example image; rows with the same value are resampled together "
            "(default: each row alone).",
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the scores to this file.")] = None,
) -> None:
    """Compute the PCK of predictions from two CSV files, with 95 % intervals.

    Also computes the area under the PCK curve (AUC). Both files have a column
    id and joint columns in px (lsho_x, lsho_y, lelb_x, ...). Rows are matched
    by id; other columns are ignored.

    An annotated joint without a predicted position counts as not found. Joints
    that are not annotated, or have no columns in the predictions, are not
    scored.
    """
    from splitpose.cli.score_table import print_scores
    from splitpose.evaluation.csv_scoring import THRESHOLDS
    from splitpose.evaluation.csv_scoring import score as compute
    from splitpose.files import write_json

    result = compute(annotations, predictions, torso, viewpoint, thresholds or THRESHOLDS, bootstrap_cluster)
    if json:
        write_json(result, json)
    print_scores(result)


def compare(
    comparison: Annotated[
        Path, typer.Option(metavar="JSON", help="Output of the compare stage.")
    ] = paths.COMPARISON,
) -> None:
    """Show the comparison of all variants: accuracy, size and latency."""
    from splitpose.files import read_json
    from splitpose.report import tables

    tables.print_comparison(read_json(comparison, produced_by="`make repro`"))
    print(f"Full report: {paths.PAGE}   Runs and curves: make ui")
