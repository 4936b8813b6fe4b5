"""Variants made at once, by workers in clones of their own.

Whoever spreads them makes what all share, pushes it to the DVC remote and starts one run a variant. A worker takes
it over, makes the variant's stages and pushes them with DVC's run cache, in which the spreader's own stages then
find their results: nothing is computed twice, and no dvc.lock is merged.
"""

import time
from itertools import takewhile
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from pipelines import dvc, tasks
from pipelines.workspace_lock import held
from splitpose.errors import InputError
from splitpose.settings import Params, load
from splitpose.tracking.lineage import commit

DEPLOYMENT = "variant/of-a-worker"
"""In prefect.yaml: the flow below."""
LOOK = 2.0
"""Seconds between two looks at the workers' runs."""


@flow(name="variant", flow_run_name="{name}")
def variant(name: str, at_commit: str, shared: dict[str, Any], stage_hours: float = 240.0) -> None:
    """Make one variant in the clone that this worker stands in, and push it.

    Args:
        name: of the variant.
        at_commit: that the clone must be at.
        shared: the entries in dvc.lock of the stages that come before all variants.
        stage_hours: after so many hours a stage is taken to hang, and is stopped.
    """
    root = Path.cwd()
    with held(root, get_run_logger().warning):
        if (here := commit(root)) != at_commit:
            raise InputError(f"{root}: is at commit {here}, but {name} is wanted of {at_commit}; check it out")
        stages = [stage for stage in dvc.stages(root) if stage.endswith(f"@{name}")]
        dvc.import_lock_entries(root, shared, stages, get_run_logger().info)
        for stage in stages:
            tasks.run_stage(stage, stage_hours * 3600, pull=True)
        tasks.push()


def out(stage_hours: float) -> None:
    """Have the workers make all variants of params.yaml; ends when their results are in the cache here.

    Raises StageError where a stage or a worker's run fails, InputError where there is no remote or no deployment,
    or files that git tracks are changed.
    """
    root = Path.cwd()
    if not dvc.has_remote(root):
        raise InputError("workers share results through a DVC remote; `dvc remote add --local --default NAME URL`")
    at_commit = commit(root)
    if " " in at_commit:
        raise InputError(f"{root}: workers need this very state, but it is {at_commit}; commit, and push it")
    before = list(takewhile(lambda stage: "@" not in stage, dvc.stages(root)))
    for name in before:
        tasks.run_stage(name, stage_hours * 3600)
    tasks.push()
    shared = dvc.entries(root, before)
    told = {"at_commit": at_commit, "shared": shared, "stage_hours": stage_hours}
    runs = {name: _start({"name": name, **told}) for name in load(Params, root / "params.yaml").variants}
    get_run_logger().info(f"{len(runs)} variants wait for workers of the pool")
    failed = [f"{name}: {message}" for name, run in runs.items() if (message := _failure(run))]
    if failed:
        raise dvc.StageError("; ".join(failed))
    dvc.fetch(root, get_run_logger().info)


def _start(parameters: dict[str, Any]) -> UUID:
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(DEPLOYMENT)
        except ObjectNotFound as error:
            raise InputError(f"no deployment {DEPLOYMENT} in Prefect; `prefect deploy --all` makes it") from error
        return client.create_flow_run_from_deployment(deployment.id, parameters=parameters).id


def _failure(run: UUID) -> str | None:
    """Wait for a run to end; why it failed, None if it did not."""
    with get_client(sync_client=True) as client:
        while not ((state := client.read_flow_run(run).state) and state.is_final()):
            time.sleep(LOOK)
    return None if state.is_completed() else state.message or state.name
