"""The flow that brings all DVC stages up to date and completes the MLflow runs."""

from pathlib import Path

from prefect import flow, get_run_logger

from pipelines import incoming, tasks
from pipelines.distribute import fan_out
from pipelines.workspace_lock import workspace_lock


@flow(name="reproduce")
def reproduce(stage_hours: float = 240.0, distribute: bool = False, allow_fewer: bool = False) -> None:
    """Bring every stage of the project in the current folder up to date, one after the other.

    Args:
        stage_hours: maximum duration of a stage; a stage that takes longer is stopped.
        distribute: let the workers of the work pool train the variants in parallel.
        allow_fewer: accept that files or people of data/incoming/ are missing.
    """
    with workspace_lock(Path.cwd(), get_run_logger().warning):
        incoming.update(Path.cwd(), allow_fewer, get_run_logger().info)
        if distribute:
            fan_out(stage_hours, tasks.Scope())
        tasks.bring_up_to_date(stage_hours, pull=distribute)
        tasks.share_results()
