"""Retention: delete old Prefect runs, old MLflow runs and unused files of DVC's cache."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from pipelines import alerts, dvc, server
from pipelines.workspace_lock import workspace_lock
from splitpose.tracking import retention as mlflow_retention

FLOWS = ("reproduce", "retrain", "train")
"""Names of our flows."""
PAGE = 200
"""Number of runs in one answer of the Prefect server."""


@dataclass(frozen=True)
class Ages:
    """Ages in days above which something is deleted; None to keep everything."""

    prefect: float | None = 90.0
    """Since the end of a flow run."""
    mlflow: float | None = 180.0
    """Since the end of an MLflow run."""
    cache: float | None = 90.0
    """Since the commit that refers to a file of DVC's cache."""


def apply(root: Path, ages: Ages, dry_run: bool, port: int, log: Callable[[str], None]) -> None:
    """Apply retention to everything that the project stores, or only report what would be deleted.

    The command waits until no flow is working in the folder.

    Args:
        root: the project.
        ages: the limits.
        dry_run: delete nothing.
        port: port of the server of `splitpose schedule`, which is used if it is running and PREFECT_API_URL is not
            set.
        log: receives a line about each group and each run.

    Raises:
        InputError: dvc.lock, params.yaml or a DVC file is invalid.
        ExternalServiceError: MLflow fails.
    """
    now, verb = datetime.now(UTC), "would be deleted" if dry_run else "deleted"
    if ages.prefect is not None:
        with _client(port) as client:
            flow_runs = outdated_flow_runs(client, now - timedelta(days=ages.prefect))
            for flow_run in flow_runs:
                log(f"  {flow_run.name}, {flow_run.state_name}, ended {flow_run.end_time:%Y-%m-%d}")
            if not dry_run:
                delete_flow_runs(client, flow_runs)
        log(f"Prefect: {_number(len(flow_runs), 'run')} that ended more than {ages.prefect:g} days ago {verb}")
    with workspace_lock(root, log):
        if ages.mlflow is not None:
            runs = mlflow_retention.outdated_runs(root, now - timedelta(days=ages.mlflow))
            for run in runs:
                log(f"  {run.name} {run.id}, ended {run.ended:%Y-%m-%d}")
            permanently = dry_run or not runs or mlflow_retention.delete(root, runs)
            log(f"MLflow: {_number(len(runs), 'run')} that ended more than {ages.mlflow:g} days ago {verb}")
            if not permanently:
                log("MLflow: they can be restored until `mlflow gc` is run on the MLflow server")
        if ages.cache is not None:
            since = (now - timedelta(days=ages.cache)).date()
            files = dvc.collect_garbage(root, since.isoformat(), dry_run)
            log(
                f"DVC: {_number(files, 'file')} that neither the workspace nor any branch, tag or commit since "
                f"{since} uses {verb}"
            )


def outdated_flow_runs(client: SyncPrefectClient, before: datetime) -> list[FlowRun]:
    """Return the runs of our flows that ended before a time."""
    criteria = {
        "state": {"type": {"any_": list(alerts.ENDED)}},
        "end_time": {"before_": before},
    }
    runs: list[FlowRun] = []
    while page := client.read_flow_runs(
        flow_filter=FlowFilter.model_validate({"name": {"any_": list(FLOWS)}}),
        flow_run_filter=FlowRunFilter.model_validate(criteria),
        limit=PAGE,
        offset=len(runs),
    ):
        runs += page
    return runs


def delete_flow_runs(client: SyncPrefectClient, runs: list[FlowRun]) -> None:
    """Delete runs; the server deletes their logs, too."""
    for run in runs:
        try:
            client.delete_flow_run(run.id)
        except ObjectNotFound:  # deleted in the meantime
            continue


@contextmanager
def _client(port: int) -> Iterator[SyncPrefectClient]:
    """Yield a client of the server of PREFECT_API_URL, of `splitpose schedule`, or of a temporary server."""
    url = f"http://127.0.0.1:{port}/api"
    settings = {}
    if "PREFECT_API_URL" not in os.environ and server.is_healthy(url):
        settings = {PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: server.auth_string()}
    with temporary_settings(settings), server.authentication_required(), get_client(sync_client=True) as client:
        yield client


def _number(count: int, word: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
