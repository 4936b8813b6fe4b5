"""The flow that trains the gate's model on new data and promotes it if it passes the gate.

The model that the profile's `gate` names is the challenger. It becomes champion in the model registry if it passes
every check against the present champion; otherwise the champion remains. Every decision is logged with its metrics.
"""

import os
import sys
from pathlib import Path
from typing import cast

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from pipelines import incoming, tasks, workspace_state
from pipelines.distribute import fan_out
from pipelines.workspace_lock import workspace_lock
from splitpose import paths
from splitpose.errors import InputError
from splitpose.promotion.automatic import decide
from splitpose.settings import Params, Profile, load
from splitpose.stages.initial_files import CHAMPION
from splitpose.stages.initial_weights import FROM_SCRATCH


@flow(name="retrain")
def retrain(
    dry_run: bool = False,
    stage_hours: float = 240.0,
    distribute: bool = False,
    all_variants: bool = False,
    from_scratch: bool = False,
    allow_fewer: bool = False,
    commit: bool = False,
) -> str:
    """Bring the gate's variant in the current folder up to date, and promote its model if it passes the gate.

    New instances come from data/incoming/ or a changed source; the stage validate checks them. Training starts from
    the champion.

    Args:
        dry_run: report the decision without changing the model registry.
        stage_hours: maximum duration of a stage; a stage that takes longer is stopped.
        distribute: let the workers of the work pool train in parallel.
        all_variants: bring all variants, their comparison and the report up to date; all of them start as the
            profile says, not from the champion, so that the comparison is fair.
        from_scratch: start the training from no weights, even if there is no new data.
        allow_fewer: accept that files or people of data/incoming/ are missing.
        commit: commit dvc.lock, data/incoming.dvc and the benchmarks, and push the commit (see `workspace_state`);
            a dry run does not commit.

    Returns:
        The decision in one line (see `Decision.headline`).
    """
    with workspace_lock(Path.cwd(), get_run_logger().warning):
        branch = workspace_state.start(Path.cwd(), get_run_logger().info) if commit and not dry_run else None
        incoming.update(Path.cwd(), allow_fewer, get_run_logger().info)
        scope = choose_scope(Path.cwd(), all_variants, from_scratch)
        if scope.variant:
            message = f"only {scope.variant} is brought up to date; the comparison and the report are not"
            get_run_logger().info(message)
        if distribute:
            fan_out(stage_hours, scope)
        runs = tasks.bring_up_to_date(stage_hours, pull=distribute, scope=scope)
        headline = apply_gate(runs, dry_run)
        tasks.share_results()
        tasks.commit_state(branch, f"Retraining: {headline}")
    # Prefect returns the data, and shows the message as the result of the run in its log and its UI.
    return cast(str, Completed(message=headline, data=headline))


def choose_scope(root: Path, all_variants: bool, from_scratch: bool) -> tasks.Scope:
    """Return what to bring up to date in the project `root`; the arguments are those of `retrain`.

    Raises:
        InputError: a file is invalid, or params.yaml lacks the gate's variant.
    """
    params = load(Params, root / paths.PARAMS)
    profile = load(Profile, root / paths.profile(params.profile))
    variant = profile.gate.variant
    if variant not in params.variants:
        raise InputError(
            f"params.yaml: variants: {variant} is missing, which gate.variant of {params.profile} promotes"
        )
    if from_scratch:
        return tasks.Scope(None if all_variants else variant, FROM_SCRATCH, force_initial_weights=True)
    if all_variants:
        # A variant that last started from the champion has been trained for longer than the others.
        return tasks.Scope(force_initial_weights=profile.model.initial_weights != CHAMPION)
    return tasks.Scope(variant, CHAMPION)


@task(task_run_name="gate", cache_policy=NO_CACHE)
def apply_gate(runs: dict[str, str], dry_run: bool) -> str:
    """Decide whether the challenger becomes champion, log the decision, and return it in one line."""
    decision = decide(Path.cwd(), runs, dry_run)
    for check in decision.checks:
        get_run_logger().info(f"{'passed' if check['passed'] else 'FAILED'}: {check['name']}: {check['text']}")
    for warning in decision.warnings:
        get_run_logger().warning(warning)
    create_markdown_artifact(decision.as_markdown(), key="decision", description=decision.headline)
    get_run_logger().info(decision.headline)
    return decision.headline


if __name__ == "__main__":  # `python -m pipelines.retrain` is `splitpose retrain`
    os.execv(sys.executable, [sys.executable, "-m", "splitpose", "retrain", *sys.argv[1:]])
