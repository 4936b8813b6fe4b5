"""The flow that brings all DVC stages up to date and completes the MLflow runs."""

import argparse
import sys
from functools import partial
from pathlib import Path

from prefect import flow, get_run_logger

from pipelines import tasks
from pipelines.distribute import fan_out
from pipelines.run_locally import run_locally
from pipelines.workspace_lock import workspace_lock
from splitpose.errors import InputError


@flow(name="reproduce")
def reproduce(stage_hours: float = 240.0, distribute: bool = False) -> None:
    """Bring every stage of the project in the current folder up to date, one after the other.

    Args:
        stage_hours: maximum duration of a stage; a stage that takes longer is stopped.
        distribute: let the workers of the work pool run the variants' stages in parallel.
    """
    with workspace_lock(Path.cwd(), get_run_logger().warning):
        if distribute:
            fan_out(stage_hours)
        tasks.bring_up_to_date(stage_hours, pull=distribute)
        tasks.share_results()


def main() -> None:
    """Run the flow from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--distribute", action="store_true", help="run the variants on the workers of the pool")
    try:
        run_locally(partial(reproduce, distribute=parser.parse_args().distribute))
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
