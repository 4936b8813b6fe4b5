"""Commands that change the champion manually: promote and rollback."""

from pathlib import Path
from typing import Annotated

import typer

from splitpose import paths

Reason = Annotated[str, typer.Option(metavar="TEXT", help="Reason for the decision log.")]
Params = Annotated[Path, typer.Option(metavar="YAML", help="params.yaml of the project.")]


def promote(
    version: Annotated[
        str | None,
        typer.Option(metavar="N", help="Version of the profile's registered model (default: the challenger)."),
    ] = None,
    reason: Reason = "",
    params: Params = paths.PARAMS,
) -> None:
    """Make a version of the model in MLflow's model registry the champion."""
    from splitpose.promotion import manual

    print(manual.promote(params, version, reason))


def rollback(reason: Reason = "", params: Params = paths.PARAMS) -> None:
    """Restore the previous champion.

    Repeat the command to go back further.
    """
    from splitpose.promotion import manual

    print(manual.rollback(params, reason))
