"""Alerts about runs: which of them have failed, start late or are stuck.

They are found by reading the runs, not by automations of the Prefect server. These handle an event again if the
SQLite database was locked meanwhile, so that one failure was posted twice; they hold an event back for 15 minutes
if the event before it was lost; and they do not repeat a delivery that failed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prefect.client.schemas.objects import FlowRun, StateType

TAG = "splitpose"
"""The tag of the runs of prefect.yaml's deployments."""
FAILED = {StateType.FAILED, StateType.CRASHED}
ENDED = {*FAILED, StateType.COMPLETED, StateType.CANCELLED}
ACTIVE = {StateType.PENDING, StateType.RUNNING, StateType.CANCELLING}
LATE_AFTER = timedelta(minutes=5)
"""Duration after which a run that nothing holds up counts as late."""
MAX_MESSAGE = 1000
"""Maximum number of characters of a state's message in an alert."""


@dataclass(frozen=True)
class Alert:
    """A message about a run."""

    name: str
    """`failed`, `late` or `stuck`."""
    key: str
    """Identifies what is reported: nothing is reported twice."""
    run: str
    """Name of the run."""
    deployment: str
    state: str
    message: str

    def fields(self) -> dict[str, object]:
        """Return the fields for programs."""
        return {
            "alert": self.name,
            "id": self.key,
            "deployment": self.deployment,
            "run": self.run,
            "state": self.state,
            "message": self.message,
        }

    def text(self) -> str:
        """Return one line for people."""
        reason = f": {self.message}" if self.message else ""
        return f"splitpose: {self.deployment}: run {self.run} {self.name} ({self.state}){reason}"


def failed(runs: Iterable[FlowRun], deployments: dict[object, str]) -> list[Alert]:
    """Return an alert for each failed or crashed run; a run that is started again and fails again is a new failure.

    Args:
        runs: runs in any state.
        deployments: names of the deployments by id.
    """
    return [
        _alert("failed", f"{run.id}-{run.run_count}", run, deployments) for run in runs if run.state_type in FAILED
    ]


def late(
    runs: Sequence[FlowRun], deployments: dict[object, str], now: datetime, watched_since: datetime
) -> list[Alert]:
    """Return an alert for each run that should have started, although no other run holds it up.

    A run that waits for the concurrency limit of its deployment, or for the worker, is not late; neither is one
    that was due while no `splitpose schedule` was running and that still has time to start.

    Args:
        runs: the scheduled, the active and the recently ended runs of the work pool.
        deployments: names of the deployments by id.
        now: the present time.
        watched_since: time since which workers could start runs.
    """
    if any(run.state_type in ACTIVE for run in runs):
        return []
    free_since = max([watched_since, *(run.end_time for run in runs if run.state_type in ENDED and run.end_time)])
    return [
        _alert("late", str(run.id), run, deployments)
        for run in runs
        if run.state_type == StateType.SCHEDULED
        and run.expected_start_time
        and now - max(free_since, run.expected_start_time) > LATE_AFTER
    ]


def stuck(
    runs: Iterable[FlowRun], deployments: dict[object, str], now: datetime, stuck_after: timedelta
) -> list[Alert]:
    """Return an alert for each run that has been running for longer than `stuck_after`."""
    return [
        _alert("stuck", f"{run.id}-{run.run_count}", run, deployments)
        for run in runs
        if run.state_type == StateType.RUNNING and run.state and now - run.state.timestamp > stuck_after
    ]


def _alert(name: str, key: str, run: FlowRun, deployments: dict[object, str]) -> Alert:
    """Return the alert about a run."""
    deployment = deployments.get(run.deployment_id, "no deployment")
    message = " ".join(((run.state.message if run.state else None) or "").split())[:MAX_MESSAGE]
    return Alert(name, f"{name}-{key}", run.name, deployment, run.state_name or "", message)
