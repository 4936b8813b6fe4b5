"""Commands that compute or show accuracy: score and compare."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from splitpose import paths
from splitpose.cli.joint_map import JointMap, parse_joint_map


def score(
    annotations: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Annotated joints (ground truth): CSV, annotation table (Parquet), COCO JSON, or the export of a "
            "labelling tool.",
        ),
    ],
    predictions: Annotated[
        Path, typer.Option(metavar="FILE", help="Predicted joints: the same formats, or a list of COCO results.")
    ],
    thresholds: Annotated[
        list[float] | None,
        typer.Option(
            metavar="T...",
            help="Thresholds in torso diameters, up to 1; the AUC ends at the largest (default: 0.05 0.1 0.2).",
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
            help="Column of the annotations or property of their images, such as image; rows with the same value "
            "are resampled together (default: each row alone).",
        ),
    ] = None,
    joint_map: JointMap = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the scores to this file.")] = None,
) -> None:
    """Compute PCK, with 95 % intervals, and OKS AP of predictions.

    Also computes the area under the PCK curve (AUC), and COCO's average
    precision and recall from the object keypoint similarity (OKS) of the 11
    joints.

    Tables have a column id and joint columns in px (lsho_x, left_shoulder_x,
    ...), separated by commas, semicolons or tabs; the format is detected and
    printed. Rows of two tables are matched by id. COCO results have no ids of
    people: they are matched by image, and there with the person of the highest
    OKS in order of their scores.

    An annotated joint without a predicted position counts as not found. Joints
    that are not annotated, or have no columns in the predictions, are not
    scored.
    """
    from splitpose.cli.score_table import print_scores
    from splitpose.data.joint_names import JointNames
    from splitpose.evaluation.csv_scoring import THRESHOLDS
    from splitpose.evaluation.csv_scoring import score as compute
    from splitpose.files import write_json

    names = JointNames(parse_joint_map(joint_map or []))
    result = compute(annotations, predictions, torso, viewpoint, thresholds or THRESHOLDS, bootstrap_cluster, names)
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
