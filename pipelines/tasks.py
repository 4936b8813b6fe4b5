"""The Prefect tasks of the flows: DVC stages, MLflow runs and sharing of results.

DVC decides which stages have to run; Prefect displays them, retries those that depend on external services and
stores the logs.
"""

from dataclasses import dataclass
from pathlib import Path

from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from pipelines import dvc, workspace_state
from splitpose import paths
from splitpose.errors import ExternalServiceError
from splitpose.settings import Params, load
from splitpose.stages.initial_weights import VARIABLE
from splitpose.tracking import sync_runs

RETRIES = 2
"""Retries of a task that depends on an external service; any other failure would recur."""
PUSH_TIMEOUT = 3600.0
"""Maximum duration of a push, in seconds."""


@dataclass(frozen=True)
class Scope:
    """What a flow brings up to date, and the weights that training starts from."""

    variant: str | None = None
    """The only variant whose stages run; None for all variants, their comparison and the report."""
    initial_weights: str | None = None
    """The source of the initial weights (see `stages.initial_weights.VARIABLE`); None for the profile's."""
    force_initial_weights: bool = False
    """Collect the initial weights even if nothing has changed since they were collected."""

    def stages(self) -> list[str]:
        """Return the names of the stages in topological order."""
        return dvc.stages(Path.cwd(), self.variant)

    def variants(self) -> list[str]:
        """Return the variants whose stages run."""
        return [self.variant] if self.variant else list(load(Params, paths.PARAMS).variants)

    def run_stage(self, name: str, stage_hours: float, pull: bool = False) -> None:
        """Run one stage as a Prefect task."""
        if is_initial_weights(name):
            variables = {VARIABLE: self.initial_weights} if self.initial_weights else None
            run_external_stage(name, stage_hours * 3600, pull, self.force_initial_weights, variables)
        elif name == "download":
            run_external_stage(name, stage_hours * 3600, pull)
        else:
            run_stage(name, stage_hours * 3600, pull)


def is_initial_weights(stage: str) -> bool:
    """Return whether a stage collects the initial weights of a variant."""
    return stage.startswith("initial_weights@")


def bring_up_to_date(stage_hours: float, pull: bool = False, scope: Scope | None = None) -> dict[str, str]:
    """Run the outdated stages of the project in the current folder, and complete the MLflow runs.

    Args:
        stage_hours: maximum duration of a stage; a stage that takes longer is stopped.
        pull: pull results that workers have pushed to the DVC remote instead of computing them.
        scope: the stages to run, by default all.

    Returns:
        The MLflow run id of each variant.

    Raises:
        InputError: a stage fails (`dvc.StageError`), or a file is missing.
    """
    scope = scope or Scope()
    for name in scope.stages():
        scope.run_stage(name, stage_hours, pull)
    runs = sync(scope.variants())
    if scope.variant is None:
        table = paths.COMPARISON_MARKDOWN.read_text()
        create_markdown_artifact(table, key="comparison", description="Comparison of all variants")
    return runs


def share_results() -> None:
    """Push all results if the project has a DVC remote. Raises StageError."""
    if dvc.has_remote(Path.cwd()):
        push()


def commit_state(branch: workspace_state.Branch | None, message: str) -> None:
    """Commit the state of the workspace to a branch; None: only log which files have uncommitted changes.

    Raises:
        InputError: the state cannot be committed or pushed (see `workspace_state.finish`).
    """
    if branch is not None:
        workspace_state.finish(Path.cwd(), branch, message, get_run_logger().info)
    elif files := workspace_state.uncommitted(Path.cwd()):
        get_run_logger().info(f"not committed: {', '.join(files)} (--commit commits them)")


@task(task_run_name="{name}", cache_policy=NO_CACHE)
def run_stage(
    name: str,
    timeout: float,
    pull: bool = False,
    force: bool = False,
    variables: dict[str, str] | None = None,
) -> None:
    """Run one DVC stage, as `dvc.run_stage` does; its output becomes the task's log."""
    dvc.run_stage(Path.cwd(), name, get_run_logger().info, timeout, pull, force, variables)


run_external_stage = run_stage.with_options(retries=RETRIES)
"""Run a stage that depends on an external service: a download or the model registry."""


def _is_external(task: object, run: object, state: State[object]) -> bool:
    """Return whether a task failed because of an external service, so that a retry may succeed."""
    return isinstance(state.result(raise_on_failure=False), ExternalServiceError)


@task(
    task_run_name="sync",
    cache_policy=NO_CACHE,
    retries=RETRIES,
    retry_condition_fn=_is_external,
)
def sync(variants: list[str]) -> dict[str, str]:
    """Complete the variants' MLflow runs, and return the run id of each variant."""
    runs = sync_runs(Path.cwd(), variants)
    for variant, run in runs.items():
        get_run_logger().info(f"{variant}: MLflow run {run}")
    return runs


@task(task_run_name="push", cache_policy=NO_CACHE, retries=RETRIES)
def push() -> None:
    """Push results to the DVC remote."""
    dvc.push(Path.cwd(), get_run_logger().info, PUSH_TIMEOUT)
