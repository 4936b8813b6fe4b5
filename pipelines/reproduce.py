"""`python -m pipelines.reproduce`: all DVC stages as one Prefect flow, then MLflow and the comparison table.

DVC decides what has to run; Prefect shows it, retries what the outside world may spoil and keeps the logs.
Without PREFECT_API_URL a server of its own comes and goes with the flow.
"""

import signal
import sys
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.states import State

from pipelines import dvc
from splitpose import tracking
from splitpose.errors import InputError

COMPARISON = Path("reports/comparison.md")
RETRIES = 2
RETRY_DELAY = 30
"""Seconds; only for tasks that need the outside world, as all else fails again in the same way."""


@flow(name="reproduce")
def reproduce() -> None:
    """Bring every stage of the project in the current folder up to date, one after the other."""
    for name in dvc.stages(Path.cwd()):
        run = run_download if name == "download" else run_stage
        run(name)
    record()
    create_markdown_artifact(COMPARISON.read_text(), key="comparison", description="The variants side by side")


@task(task_run_name="{name}", cache_policy=NO_CACHE)
def run_stage(name: str) -> None:
    """Run one DVC stage; its output is the task's log."""
    dvc.run_stage(Path.cwd(), name, get_run_logger().info)


run_download = run_stage.with_options(retries=RETRIES, retry_delay_seconds=RETRY_DELAY)


def _may_pass(task: object, run: object, state: State) -> bool:
    """Whether another try may help: not where the workspace itself is at fault."""
    return not isinstance(state.result(raise_on_failure=False), InputError)


@task(
    task_run_name="record",
    cache_policy=NO_CACHE,
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAY,
    retry_condition_fn=_may_pass,
)
def record() -> None:
    """Complete the variants' runs in MLflow."""
    for variant, run in tracking.record(Path.cwd()).items():
        get_run_logger().info(f"{variant}: MLflow run {run}")


def main() -> None:
    """Run the flow; a failing stage ends in one line and status 1."""
    # Prefect passes SIGTERM on to the handler that it found, and the default one would leave its server behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    # A client starts that server. Ctrl-C reaches all of a terminal's processes; the server inherits that it is
    # blocked, for the flow still has to tell it how it ended.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    get_client(sync_client=True)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        reproduce()
    except (dvc.StageError, InputError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
