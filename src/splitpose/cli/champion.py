"""Commands about the champion and the reference: champion shows them, promote and rollback change them."""

from pathlib import Path
from typing import Annotated

import typer

from splitpose import paths

Reason = Annotated[str, typer.Option(metavar="TEXT", help="Reason for the decision log.")]
Params = Annotated[Path, typer.Option(metavar="YAML", help="params.yaml of the project.")]


def champion(
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write everything to this file.")] = None,
    params: Params = paths.PARAMS,
) -> None:
    """Show the champion, the reference and the history of decisions.

    Of each model: when, why and on which account it was chosen, its metrics
    with their evaluation set, its file, latency and training data.
    """
    from splitpose.cli.champion_table import print_status
    from splitpose.files import write_json
    from splitpose.promotion.champion_status import read_status

    status = read_status(params)
    if json:
        write_json(status, json)
    print_status(status)


def promote(
    version: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Version of the profile's registered model (default: the challenger; --reference: the champion).",
        ),
    ] = None,
    reference: Annotated[
        bool,
        typer.Option("--reference", help="Make the version the reference of the gate instead of the champion."),
    ] = False,
    reason: Reason = "",
    params: Params = paths.PARAMS,
) -> None:
    """Make a version of the model in MLflow's model registry the champion, or the reference."""
    from splitpose.promotion import manual

    change = manual.set_reference if reference else manual.promote
    print(change(params, version, reason))


def rollback(reason: Reason = "", params: Params = paths.PARAMS) -> None:
    """Restore the previous champion.

    Repeat the command to go back further.
    """
    from splitpose.promotion import manual

    print(manual.rollback(params, reason))
