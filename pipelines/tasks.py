"""The Prefect tasks of the flows: DVC stages, MLflow runs and sharing of results.

DVC decides which stages have to run; Prefect displays them, retries those that depend on external services and
stores the logs.
"""

from pathlib import Path

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from pipelines import dvc
from splitpose import paths
from splitpose.errors import ExternalServiceError
from splitpose.tracking import sync_runs

RETRIES = 2
"""Retries of a task that depends on an external service; any other failure would recur."""
PUSH_TIMEOUT = 3600.0
"""Maximum duration of a push, in seconds."""


def bring_up_to_date(stage_hours: float, pull: bool = False) -> dict[str, str]:
    """Run the outdated stages of the project in the current folder, and complete the MLflow runs.

    Args:
        stage_hours: maximum duration of a stage; a stage that takes longer is stopped.
        pull: pull results that workers have pushed to the DVC remote instead of computing them.

    Returns:
        The MLflow run id of each variant.

    Raises:
        InputError: a stage fails (`dvc.StageError`), or a file is missing.
    """
    for name in dvc.stages(Path.cwd()):
        run = run_download if name == "download" else run_stage
        run(name, stage_hours * 3600, pull)
    runs = sync()
    table = paths.COMPARISON_MARKDOWN.read_text()
    create_markdown_artifact(table, key="comparison", description="Comparison of all variants")
    return runs


def share_results() -> None:
    """Push all results if the project has a DVC remote. Raises StageError."""
    if dvc.has_remote(Path.cwd()):
        push()


@task(task_run_name="{name}", cache_policy=NO_CACHE)
def run_stage(name: str, timeout: float, pull: bool = False) -> None:
    """Run one DVC stage for at most `timeout` seconds, or `pull` its results; its output becomes the task's log."""
    dvc.run_stage(Path.cwd(), name, get_run_logger().info, timeout, pull)


run_download = run_stage.with_options(retries=RETRIES)


def _is_external(task: object, run: object, state: State[object]) -> bool:
    """Return whether a task failed because of an external service, so that a retry may succeed."""
    return isinstance(state.result(raise_on_failure=False), ExternalServiceError)


@task(
    task_run_name="sync",
    cache_policy=NO_CACHE,
    retries=RETRIES,
    retry_condition_fn=_is_external,
)
def sync() -> dict[str, str]:
    """Complete the variants' MLflow runs, and return the run id of each variant."""
    runs = sync_runs(Path.cwd())
    for variant, run in runs.items():
        get_run_logger().info(f"{variant}: MLflow run {run}")
    return runs


@task(task_run_name="push", cache_policy=NO_CACHE, retries=RETRIES)
def push() -> None:
    """Push results to the DVC remote."""
    dvc.push(Path.cwd(), get_run_logger().info, PUSH_TIMEOUT)
