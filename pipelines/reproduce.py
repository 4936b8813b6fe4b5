"""`python -m pipelines.reproduce`: all DVC stages as one Prefect flow, then MLflow and the comparison table."""

from pathlib import Path

from prefect import flow, get_run_logger

from pipelines import tasks
from pipelines.here import run_here
from pipelines.workspace import held


@flow(name="reproduce")
def reproduce(stage_hours: float = 240.0) -> None:
    """Bring every stage of the project in the current folder up to date, one after the other.

    Args:
        stage_hours: after so many hours a stage is taken to hang, and is stopped.
    """
    with held(Path.cwd(), get_run_logger().warning):
        tasks.bring_up_to_date(stage_hours)
        tasks.share()


if __name__ == "__main__":
    run_here(reproduce)
