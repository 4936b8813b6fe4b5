"""Commands that run the pipeline: settings, reproduce, retrain and schedule."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from splitpose import paths


def settings(
    params: Annotated[Path, typer.Option(metavar="YAML", help="params.yaml of the project.")] = paths.PARAMS,
) -> None:
    """Validate params.yaml and the profile that it names."""
    from splitpose.settings import check

    checked = check(params)
    repeats = ", ".join(map(str, checked.repeats))
    print(f"profile {checked.profile}, variants {', '.join(checked.variants)}, repeats {repeats}")


Distribute = Annotated[
    bool,
    typer.Option("--distribute", help="Let the workers of the Prefect work pool train the variants in parallel."),
]

AllowFewer = Annotated[
    bool,
    typer.Option("--allow-fewer", help="Accept that files or people of data/incoming/ are missing."),
]

Commit = Annotated[
    bool,
    typer.Option("--commit", help="Commit dvc.lock, data/incoming.dvc and reports/benchmark/ to git, and push."),
]


def reproduce(distribute: Distribute = False, allow_fewer: AllowFewer = False, commit: Commit = False) -> None:
    """Run all DVC stages that are out of date, as one Prefect flow.

    Each stage is a task with a log of its own. The flow then completes the
    MLflow runs, and pushes the results if the project has a DVC remote. Without
    PREFECT_API_URL, a temporary Prefect server runs as long as the flow.
    """
    from pipelines.reproduce import reproduce as flow
    from pipelines.run_locally import run_locally

    run_locally(partial(flow, distribute=distribute, allow_fewer=allow_fewer, commit=commit))


def retrain(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Log the decision without changing the model registry.")
    ] = False,
    distribute: Distribute = False,
    all_variants: Annotated[
        bool,
        typer.Option("--all", help="Bring all variants and the report up to date, as `splitpose reproduce` does."),
    ] = False,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Train from random weights instead of the champion's.")
    ] = False,
    allow_fewer: AllowFewer = False,
    commit: Commit = False,
) -> None:
    """Train the champion on new data, and promote the result if it passes the gate.

    The flow imports new data from data/incoming/, runs the DVC stages of the
    gate's variant that are out of date, starting from the champion's weights,
    and compares the new model with the champion. docs/retraining.md explains
    the gate.
    """
    from pipelines.retrain import retrain as flow
    from pipelines.run_locally import run_locally

    options = {"all_variants": all_variants, "from_scratch": from_scratch, "allow_fewer": allow_fewer}
    run_locally(partial(flow, dry_run=dry_run, distribute=distribute, commit=commit, **options))


def schedule(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the Prefect server on 127.0.0.1.")] = 4200,
    stuck_after: Annotated[
        float, typer.Option(metavar="HOURS", help="Duration after which a run is reported as stuck.")
    ] = 48.0,
) -> None:
    """Serve the schedules of prefect.yaml from this machine until Ctrl-C.

    Uses the Prefect server that PREFECT_API_URL names; if it is not set, starts
    a server. Alerts about failed, late and stuck runs are posted as JSON to the
    URL in SPLITPOSE_WEBHOOK, if it is set.
    """
    from pipelines.schedule import schedule as serve

    serve(Path.cwd(), port, stuck_after)
