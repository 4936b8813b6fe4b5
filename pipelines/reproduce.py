"""The flow that brings all DVC stages up to date and completes the MLflow runs."""

import os
import sys
from pathlib import Path

from prefect import flow, get_run_logger

from pipelines import incoming, tasks, workspace_state
from pipelines.distribute import fan_out
from pipelines.workspace_lock import workspace_lock


@flow(name="reproduce")
def reproduce(
    stage_hours: float = 240.0, distribute: bool = False, allow_fewer: bool = False, commit: bool = False
) -> None:
    """Bring every stage of the project in the current folder up to date, one after the other.

    Args:
        stage_hours: maximum duration of a stage; a stage that takes longer is stopped.
        distribute: let the workers of the work pool train the variants in parallel.
        allow_fewer: accept that files or people of data/incoming/ are missing.
        commit: commit dvc.lock, data/incoming.dvc and the benchmarks, and push the commit (see `workspace_state`).
    """
    with workspace_lock(Path.cwd(), get_run_logger().warning):
        branch = workspace_state.start(Path.cwd(), get_run_logger().info) if commit else None
        incoming.update(Path.cwd(), allow_fewer, get_run_logger().info)
        if distribute:
            fan_out(stage_hours, tasks.Scope())
        tasks.bring_up_to_date(stage_hours, pull=distribute)
        tasks.share_results()
        tasks.commit_state(branch, "Results of splitpose reproduce")


if __name__ == "__main__":  # `python -m pipelines.reproduce` is `splitpose reproduce`
    os.execv(sys.executable, [sys.executable, "-m", "splitpose", "reproduce", *sys.argv[1:]])
