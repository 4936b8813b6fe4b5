"""The flow that brings the project up to date with new data and promotes its model if the model passes the gate.

The model that the profile's `gate` names is the challenger. It becomes champion in the model registry if it passes
every check against the present champion; otherwise the champion remains. Every decision is logged with its metrics.
"""

from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from pipelines import tasks
from pipelines.distribute import fan_out
from pipelines.workspace_lock import workspace_lock
from splitpose.promotion.automatic import decide


@flow(name="retrain")
def retrain(dry_run: bool = False, stage_hours: float = 240.0, distribute: bool = False) -> None:
    """Bring the project in the current folder up to date, and promote its model if it passes the gate.

    New instances come from data/incoming/ or a changed source; the stage validate checks them.

    Args:
        dry_run: report the decision without changing the model registry.
        stage_hours: maximum duration of a stage; a stage that takes longer is stopped.
        distribute: let the workers of the work pool run the variants' stages in parallel.
    """
    with workspace_lock(Path.cwd(), get_run_logger().warning):
        if distribute:
            fan_out(stage_hours)
        runs = tasks.bring_up_to_date(stage_hours, pull=distribute)
        apply_gate(runs, dry_run)
        tasks.share_results()


@task(task_run_name="gate", cache_policy=NO_CACHE)
def apply_gate(runs: dict[str, str], dry_run: bool) -> None:
    """Decide whether the challenger becomes champion, and log the decision."""
    decision = decide(Path.cwd(), runs, dry_run)
    for warning in decision.warnings:
        get_run_logger().warning(warning)
    get_run_logger().info(decision.reason)
    create_markdown_artifact(decision.as_markdown(), key="decision", description=decision.reason)
