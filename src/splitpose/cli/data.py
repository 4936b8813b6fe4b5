"""The command that validates annotations: check."""

from pathlib import Path
from typing import Annotated

import typer

from splitpose.cli.joint_map import JointMap, parse_joint_map
from splitpose.errors import InputError


def check(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="Annotations of a labelling tool (COCO keypoints, CVAT, Label Studio, labelme, Ultralytics) or "
            "a folder of them, FLIC's folder, or an annotation table.",
        ),
    ],
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the images (default: searched near the annotations)."),
    ] = None,
    joint_map: JointMap = None,
    docs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write Data Docs (HTML) to this folder.")
    ] = None,
) -> None:
    """Report what is wrong with annotations and their images.

    Checks the rules of the validate stage: violated preconditions and
    postconditions are errors, invalid rows are quarantined, suspicious rows are
    warnings. The exit status is 1 if the pipeline would stop.
    """
    from splitpose.data.format_detection import detect_format

    source = detect_format(path, images, parse_joint_map(joint_map or []))
    # Great Expectations takes seconds to import, so an unknown format is reported first.
    from splitpose import validation
    from splitpose.cli.validation_table import print_validation_result

    try:
        result = validation.validate(source.table, source.root, data_docs=docs, require_splits=source.has_splits)
        print_validation_result(source, result)
        result.raise_if_failed()
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    print(f"passed: {len(result.table):,} rows are valid, {result.summary['quarantined_rows']:,} are quarantined")
