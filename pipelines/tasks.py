"""What the flows are made of: DVC's stages, MLflow's runs, sharing of results, each a Prefect task.

DVC decides what has to run; Prefect shows it, retries what the outside world may spoil and keeps the logs.
"""

from pathlib import Path

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import State

from pipelines import dvc
from splitpose import tracking
from splitpose.errors import ExternalServiceError

COMPARISON = Path("reports/comparison.md")
RETRIES = 2
"""Only of tasks that need the outside world, as all else fails again in the same way."""
PUSH_TIMEOUT = 3600.0
"""Seconds until a push that hangs is given up."""


def bring_up_to_date(stage_hours: float, pull: bool = False) -> dict[str, str]:
    """Run what is not up to date of the project in the current folder, and complete MLflow's runs.

    Returns each variant's MLflow run id. A stage that takes longer than `stage_hours` is stopped. With `pull`,
    results that workers made are taken from the DVC remote. Raises StageError and InputError.
    """
    for name in dvc.stages(Path.cwd()):
        run = run_download if name == "download" else run_stage
        run(name, stage_hours * 3600, pull)
    runs = record()
    create_markdown_artifact(COMPARISON.read_text(), key="comparison", description="The variants side by side")
    return runs


def share() -> None:
    """Push all results, where the project has a DVC remote. Raises StageError."""
    if dvc.has_remote(Path.cwd()):
        push()


@task(task_run_name="{name}", cache_policy=NO_CACHE)
def run_stage(name: str, timeout: float, pull: bool = False) -> None:
    """Run one DVC stage, at most `timeout` seconds, or `pull` its results; its output is the task's log."""
    dvc.run_stage(Path.cwd(), name, get_run_logger().info, timeout, pull)


run_download = run_stage.with_options(retries=RETRIES)


def _may_pass(task: object, run: object, state: State) -> bool:
    """Whether another try may help: not where the workspace itself is at fault."""
    return isinstance(state.result(raise_on_failure=False), ExternalServiceError)


@task(
    task_run_name="record",
    cache_policy=NO_CACHE,
    retries=RETRIES,
    retry_condition_fn=_may_pass,
)
def record() -> dict[str, str]:
    """Complete the variants' runs in MLflow; each variant's run id."""
    runs = tracking.record(Path.cwd())
    for variant, run in runs.items():
        get_run_logger().info(f"{variant}: MLflow run {run}")
    return runs


@task(task_run_name="push", cache_policy=NO_CACHE, retries=RETRIES)
def push() -> None:
    """Copy results to the DVC remote."""
    dvc.push(Path.cwd(), get_run_logger().info, PUSH_TIMEOUT)
