"""Retention of MLflow runs: runs that are old and that nothing refers to are deleted."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from splitpose import paths
from splitpose.errors import ExternalServiceError
from splitpose.settings import Params, load
from splitpose.tracking import state
from splitpose.tracking.database import DATABASE
from splitpose.tracking.runs import connect, has_store, translated_errors

if TYPE_CHECKING:  # MLflow takes seconds to import
    from mlflow import MlflowClient
    from mlflow.entities import Run

EXPERIMENT_PREFIX = "splitpose"
ENDED = ("FINISHED", "FAILED", "KILLED")
BATCH = 50
"""Number of runs that one command of MLflow deletes."""


@dataclass(frozen=True)
class OutdatedRun:
    """An MLflow run that can be deleted."""

    id: str
    name: str
    ended: datetime


def outdated_runs(root: Path, before: datetime) -> list[OutdatedRun]:
    """Return the runs of the project's experiments that ended before a time, the oldest first.

    Runs of registered versions, with or without an alias, and the runs of the workspace's present state are never
    among them.

    Raises:
        InputError: params.yaml or dvc.lock is invalid.
        ExternalServiceError: MLflow fails.
    """
    if not has_store(root):
        return []
    with translated_errors():
        client = connect(root)
        kept_runs, kept_states = _runs_of_versions(client), _present_states(root)
        runs = [
            OutdatedRun(run.info.run_id, run.info.run_name or "", _time(run.info.end_time))
            for run in _runs(client)
            if run.info.status in ENDED
            and run.info.end_time
            and _time(run.info.end_time) < before
            and run.info.run_id not in kept_runs
            and run.data.tags.get("splitpose.state") not in kept_states
        ]
    return sorted(runs, key=lambda run: run.ended)


def delete(root: Path, runs: list[OutdatedRun]) -> bool:
    """Delete runs with their artifacts.

    Returns:
        False if they are only marked as deleted, because the store is a server: `mlflow gc` on the server deletes
        them for good.

    Raises:
        ExternalServiceError: MLflow fails; what is deleted remains deleted.
    """
    with translated_errors():
        client = connect(root)
        for run in runs:
            client.delete_run(run.id)
    if os.environ.get("MLFLOW_TRACKING_URI"):
        return False
    for start in range(0, len(runs), BATCH):
        _delete_permanently(root, [run.id for run in runs[start : start + BATCH]])
    return True


def _delete_permanently(root: Path, ids: list[str]) -> None:
    """Remove runs that are marked as deleted from the project's own store, with their artifacts."""
    uri = f"sqlite:///{root.resolve()}/{DATABASE}"
    command = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", uri, "--tracking-uri", uri]
    result = subprocess.run(
        [*command, "--run-ids", ",".join(ids)], cwd=root, capture_output=True, text=True, check=False
    )
    if result.returncode:
        last = (result.stderr or result.stdout).strip().splitlines()[-1:] or ["no output"]
        raise ExternalServiceError(f"mlflow gc: {last[0]}; the runs are marked as deleted, try again")


def _runs(client: "MlflowClient") -> Iterator["Run"]:
    """Yield all runs of the project's experiments that are not deleted."""
    experiments = [one for one in client.search_experiments() if one.name.startswith(EXPERIMENT_PREFIX)]
    token: str | None = ""
    while experiments and token is not None:
        page = client.search_runs([one.experiment_id for one in experiments], page_token=token or None)
        yield from page
        token = page.token or None


def _runs_of_versions(client: "MlflowClient") -> set[str]:
    """Return the ids of the runs that any registered version belongs to."""
    runs: set[str] = set()
    token: str | None = ""
    while token is not None:
        page = client.search_model_versions("", page_token=token or None)
        for version in page:
            source = version.source or ""
            runs |= {version.run_id or "", source.removeprefix("runs:/").split("/")[0]}
        token = page.token or None
    return runs


def _present_states(root: Path) -> set[str]:
    """Return the states of all variants in the workspace's dvc.lock; none if there is no dvc.lock."""
    if not (root / "dvc.lock").is_file():
        return set()
    entries = state.lock_entries(root)
    variants = load(Params, root / paths.PARAMS).variants
    return {state.digest(entries, variant) for variant in variants if state.is_finished(entries, variant)}


def _time(milliseconds: int) -> datetime:
    """Return a time of MLflow as one in the local time zone."""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone()
