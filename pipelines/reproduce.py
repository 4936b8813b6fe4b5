"""`python -m pipelines.reproduce [--spread]`: all DVC stages as one Prefect flow, then MLflow, the comparison."""

import argparse
from functools import partial
from pathlib import Path

from prefect import flow, get_run_logger

from pipelines import distribute as workers
from pipelines import tasks
from pipelines.run_locally import run_locally
from pipelines.workspace_lock import held


@flow(name="reproduce")
def reproduce(stage_hours: float = 240.0, spread: bool = False) -> None:
    """Bring every stage of the project in the current folder up to date, one after the other.

    Args:
        stage_hours: after so many hours a stage is taken to hang, and is stopped.
        spread: have the workers of the pool make the variants, all at once.
    """
    with held(Path.cwd(), get_run_logger().warning):
        if spread:
            workers.out(stage_hours)
        tasks.bring_up_to_date(stage_hours, pull=spread)
        tasks.share()


def main() -> None:
    """The flow from the command line."""
    parser = argparse.ArgumentParser(description="All stages of the project as one Prefect flow.")
    parser.add_argument("--spread", action="store_true", help="have the workers of the pool make the variants")
    run_locally(partial(reproduce, spread=parser.parse_args().spread))


if __name__ == "__main__":
    main()
