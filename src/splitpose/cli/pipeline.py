"""Commands that run the pipeline: settings, reproduce, retrain, schedule and retention."""

import atexit
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from splitpose import paths


def settings(
    params: Annotated[Path, typer.Option(metavar="YAML", help="params.yaml of the project.")] = paths.PARAMS,
) -> None:
    """Validate params.yaml and the profile that it names, and find the files that they name."""
    from splitpose.stages.settings_check import check

    checked = check(params)
    repeats = ", ".join(map(str, checked.repeats))
    print(f"profile {checked.profile}, variants {', '.join(checked.variants)}, repeats {repeats}")


class Target(StrEnum):
    """What `splitpose retention` is applied to."""

    PREFECT = "prefect"
    MLFLOW = "mlflow"
    CACHE = "cache"


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
    the gate. The last line of the output is the decision and its reason.
    """
    # Before Prefect is imported: handlers are called in reverse order, and Prefect reports the end of its temporary
    # server in one of its own.
    last_line: list[str] = []
    atexit.register(print_lines, last_line)
    from pipelines.retrain import retrain as flow
    from pipelines.run_locally import run_locally

    options = {"all_variants": all_variants, "from_scratch": from_scratch, "allow_fewer": allow_fewer}
    last_line.append(run_locally(partial(flow, dry_run=dry_run, distribute=distribute, commit=commit, **options)))


def print_lines(lines: list[str]) -> None:
    """Print lines after everything that was written to stderr."""
    sys.stderr.flush()
    for line in lines:
        print(line, flush=True)


def schedule(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the Prefect server on 127.0.0.1.")] = 4200,
    stuck_after: Annotated[
        float, typer.Option(metavar="HOURS", help="Duration after which a run is reported as stuck.")
    ] = 48.0,
) -> None:
    """Serve the schedules of prefect.yaml from this machine until Ctrl-C.

    Uses the Prefect server that PREFECT_API_URL names; if it is not set, starts
    a server. Alerts are posted to the URL in SPLITPOSE_WEBHOOK, if it is set, as
    JSON or, with SPLITPOSE_WEBHOOK_FORMAT=slack, as text.
    """
    from pipelines.schedule import schedule as serve

    serve(Path.cwd(), port, stuck_after)


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report what would be deleted.")] = False,
    prefect_days: Annotated[
        float, typer.Option(min=0, metavar="DAYS", help="Delete Prefect runs that ended longer ago.")
    ] = 90.0,
    mlflow_days: Annotated[
        float, typer.Option(min=0, metavar="DAYS", help="Delete MLflow runs that ended longer ago.")
    ] = 180.0,
    cache_days: Annotated[
        float, typer.Option(min=0, metavar="DAYS", help="Keep what commits since then use in DVC's cache.")
    ] = 90.0,
    only: Annotated[Target | None, typer.Option(help="Apply retention to one of the three only.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the server of `splitpose schedule`.")] = 4200,
) -> None:
    """Delete old Prefect runs, old MLflow runs and unused files of DVC's cache.

    MLflow runs of registered versions and of the workspace's present state are
    kept, and so are files that the workspace, a branch, a tag or an experiment
    uses. The DVC remote does not change. docs/operations.md has the details.
    """
    from pipelines import retention as rules

    ages = rules.Ages(
        prefect=prefect_days if only in (None, Target.PREFECT) else None,
        mlflow=mlflow_days if only in (None, Target.MLFLOW) else None,
        cache=cache_days if only in (None, Target.CACHE) else None,
    )
    rules.apply(Path.cwd(), ages, dry_run, port, print)
