"""Distribution of the training runs over workers, each with its own clone of the project.

The coordinator, the process that distributes, runs the stages that training depends on, pushes their results to the
DVC remote and starts one flow run per variant and repeat. A worker imports the entries of those stages into its
dvc.lock, runs both training stages of the repeat and pushes the results together with DVC's run cache, where the
coordinator's own stages then find them: nothing is computed twice, and no dvc.lock is merged. The coordinator runs
the stages after training, so that the latencies of all variants are measured on one machine.
"""

import time
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from pipelines import dvc, tasks
from pipelines.workspace_lock import workspace_lock
from splitpose import paths
from splitpose.errors import InputError
from splitpose.settings import Params, load
from splitpose.tracking import open_runs, state
from splitpose.tracking.lineage import commit

DEPLOYMENT = "train/training-worker"
"""Name of the deployment of the flow `train` in prefect.yaml."""
POLL_INTERVAL = 2.0
"""Seconds between two queries for the state of a worker's run."""


@flow(name="train", flow_run_name="{variant}-{repeat}")
def train(variant: str, repeat: int, at_commit: str, shared: dict[str, Any], stage_hours: float = 240.0) -> None:
    """Train one repeat of a variant in this worker's clone, and push the results.

    Args:
        variant: the variant.
        repeat: number of the repeat.
        at_commit: the git commit that the clone must be at.
        shared: dvc.lock's entries of the stages that training depends on.
        stage_hours: maximum duration of a stage; a stage that takes longer is stopped.
    """
    root = Path.cwd()
    with workspace_lock(root, get_run_logger().warning):
        if (head := commit(root)) != at_commit:
            raise InputError(f"{root}: is at commit {head}, but {variant} requires {at_commit}; check it out")
        # All inputs of the variant identify its MLflow run, to which training logs.
        needing = state.stage_names(variant, load(Params, root / paths.PARAMS).repeats)
        dvc.import_lock_entries(root, shared, needing, get_run_logger().info)
        for stage in state.training_stage_names(variant, repeat):
            tasks.run_stage(stage, stage_hours * 3600, pull=True)
        tasks.push()


def fan_out(stage_hours: float, scope: tasks.Scope) -> None:
    """Let the workers train the scope's variants, and fetch their results into this clone's run cache.

    The initial weights are collected here, because the workers may lack the files and the model registry.

    Raises:
        InputError: a stage or a worker's run fails (`dvc.StageError`), there is no DVC remote or no deployment, or
            files that git tracks have uncommitted changes.
    """
    root = Path.cwd()
    if not dvc.has_remote(root):
        raise InputError("workers share results through a DVC remote; `dvc remote add --local --default NAME URL`")
    at_commit = commit(root)
    if " " in at_commit:
        raise InputError(f"{root}: workers require a commit, but the project is at {at_commit}; commit and push it")
    repeats = load(Params, root / paths.PARAMS).repeats
    jobs = [(variant, repeat) for repeat in repeats for variant in scope.variants()]
    shared_stages = dvc.upstream(root, [name for job in jobs for name in state.training_stage_names(*job)])
    for name in shared_stages:
        scope.run_stage(name, stage_hours)
    tasks.push()
    entries = state.lock_entries(root)
    shared = {name: entries[name] for name in shared_stages}
    common = {"at_commit": at_commit, "shared": shared, "stage_hours": stage_hours}
    open_runs(root, scope.variants())
    runs = {
        f"{variant}-{repeat}": _start_run({"variant": variant, "repeat": repeat, **common})
        for variant, repeat in jobs
    }
    get_run_logger().info(f"started {len(runs)} runs, one per variant and repeat, for the workers of the pool")
    failures = [f"{job}: {message}" for job, run in runs.items() if (message := _wait_for_run(run))]
    if failures:
        raise dvc.StageError("; ".join(failures))
    dvc.fetch(root, get_run_logger().info)


def _start_run(parameters: dict[str, Any]) -> UUID:
    """Create a run of the deployment for the workers, and return its id."""
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(DEPLOYMENT)
        except ObjectNotFound as error:
            raise InputError(
                f"Prefect has no deployment {DEPLOYMENT}; create it with `prefect deploy --all`"
            ) from error
        return client.create_flow_run_from_deployment(deployment.id, parameters=parameters).id


def _wait_for_run(run: UUID) -> str | None:
    """Wait until a run has ended; return the reason of its failure, None if it completed."""
    with get_client(sync_client=True) as client:
        while not ((run_state := client.read_flow_run(run).state) and run_state.is_final()):
            time.sleep(POLL_INTERVAL)
    return None if run_state.is_completed() else run_state.message or run_state.name
