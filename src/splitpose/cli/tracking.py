"""Commands that show results outside the terminal: sync and ui (MLflow), and demo (the web page)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from splitpose import paths
from splitpose.errors import InputError

if TYPE_CHECKING:
    from splitpose.web.static_server import ChampionFile


def sync() -> None:
    """Complete every variant's MLflow run from the files of the workspace.

    The command can be repeated, and restores the runs of a deleted database.
    Runs are written to MLFLOW_TRACKING_URI, by default to mlflow.db.
    After the project folder was moved or copied, the paths in mlflow.db are updated.
    """
    from splitpose import tracking

    for variant, run in tracking.sync_runs(Path.cwd()).items():
        print(f"{variant}: MLflow run {run}")


def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 5000,
    browser: Annotated[bool, typer.Option(help="Open the comparison in the browser.")] = True,
) -> None:
    """Serve MLflow's UI on 127.0.0.1 until Ctrl-C, and open the comparison of the present runs.

    The runs are first completed, as by `splitpose sync`.
    """
    from splitpose.tracking.ui import serve

    serve(Path.cwd(), port, browser)


def demo(
    models: Annotated[
        Path, typer.Option(metavar="DIR", help="Models to offer: DIR/<variant>/<precision>.tflite.")
    ] = paths.MODELS,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 selects a free one.")] = 8000,
) -> None:
    """Serve the web page with your models on 127.0.0.1 until Ctrl-C.

    Build the page first, with `make web`. If params.yaml is next to DIR, only
    its variants are offered, and the champion is marked.
    """
    from splitpose.web.demo import demo as serve

    params = models.resolve().parent / paths.PARAMS
    variants, champion = _describe_project(params) if params.is_file() else (None, None)
    serve(models, port, variants, champion)


def _describe_project(params: Path) -> tuple[set[str], "ChampionFile | None"]:
    """Return the variants of a project and its champion, None if there is none or the decision log is damaged."""
    from splitpose.promotion.logged_champion import logged_champion
    from splitpose.settings import Params, load
    from splitpose.web.static_server import ChampionFile

    settings = load(Params, params)
    try:
        champion = logged_champion(params.parent / paths.DECISIONS, settings.profile)
    except InputError as error:
        print(f"the champion is not marked: {error}")
        champion = None
    if champion is None:
        return set(settings.variants), None
    description = f"version {champion.number}, {champion.action} on {champion.date}"
    return set(settings.variants), ChampionFile(champion.sha256, description)
