"""`python -m pipelines.retrain [--dry-run] [--spread]`: new data in, all made anew, the better model kept.

The model that the profile's `gate` names is the challenger. It becomes champion in MLflow's registry where it
passes the gate against the present one; else all stays as it is. Either way the decision is kept with its figures.
"""

import argparse
from functools import partial
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from pipelines import distribute as workers
from pipelines import tasks
from pipelines.run_locally import run_locally
from pipelines.workspace_lock import held
from splitpose.promotion import decide


@flow(name="retrain")
def retrain(dry_run: bool = False, stage_hours: float = 240.0, spread: bool = False) -> None:
    """Bring the project in the current folder up to date, and promote its model if it passes the gate.

    New people come in by data/incoming/ or a changed source (the stage validate checks them).

    Args:
        dry_run: tell what would be decided, and change nothing in the registry.
        stage_hours: after so many hours a stage is taken to hang, and is stopped.
        spread: have the workers of the pool make the variants, all at once.
    """
    with held(Path.cwd(), get_run_logger().warning):
        if spread:
            workers.out(stage_hours)
        runs = tasks.bring_up_to_date(stage_hours, pull=spread)
        judge(runs, dry_run)
        tasks.share()


@task(task_run_name="gate", cache_policy=NO_CACHE)
def judge(runs: dict[str, str], dry_run: bool) -> None:
    """Decide whether the challenger becomes champion, and keep the decision."""
    decision = decide(Path.cwd(), runs, dry_run)
    get_run_logger().info(decision.reason)
    create_markdown_artifact(decision.as_markdown(), key="decision", description=decision.reason)


def main() -> None:
    """The flow from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dry-run", action="store_true", help="decide, but change nothing in the registry")
    parser.add_argument("--spread", action="store_true", help="have the workers of the pool make the variants")
    run_locally(partial(retrain, **vars(parser.parse_args())))


if __name__ == "__main__":
    main()
