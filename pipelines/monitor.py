"""The monitor of `splitpose schedule`: it marks dead runs as crashed and posts alerts to the webhook."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter, EventResourceFilter
from prefect.settings import get_current_settings
from prefect.states import Crashed

from pipelines import alerts
from pipelines.alert_log import AlertLog
from splitpose import webhook

MISSED_HEARTBEATS = 3
"""Heartbeats after which a silent run counts as crashed: its machine is off, or its process was killed."""
PENDING_TIMEOUT = 300.0
"""Seconds after which a run that a worker has taken, but that does not start, counts as crashed."""
LOOKBACK = timedelta(days=1)
"""Runs that ended longer ago are not reported, for example those before the first start of the monitor."""
PAGE = 200
"""Maximum number of runs in one answer of the server."""
DIRECT_RETRIES = 3
"""Retries of an alert that is not kept by the Prefect server."""


class Monitor:
    """Watches the runs of our deployments.

    The silence of a run is measured with this process's own clock, from the last change that it has seen: clocks of
    other machines do not matter.
    """

    def __init__(self, client: SyncPrefectClient, stuck_after: timedelta, log: Callable[[str], None]):
        """Start watching.

        Args:
            client: client of the Prefect server.
            stuck_after: duration after which an unfinished run counts as stuck.
            log: receives lines about crashed runs and alerts that could not be posted.
        """
        self.client, self.stuck_after, self.log = client, stuck_after, log
        self.alert_log = AlertLog(client)
        self.watched_since = datetime.now(UTC)
        self.signs: dict[UUID, tuple[object, float]] = {}
        """The last sign of life of each active run, and the time at which it was seen first (`time.monotonic`)."""

    def restart(self) -> None:
        """Measure all durations of silence again, because the server could not receive heartbeats."""
        self.signs.clear()
        self.watched_since = datetime.now(UTC)

    def check(self, now: datetime | None = None, monotonic: float | None = None) -> None:
        """Mark dead runs as crashed, and post new alerts and those that could not be posted before.

        Args:
            now: the present time, for tests.
            monotonic: the present time of `time.monotonic`, for tests.

        Raises:
            httpx.HTTPError: the server cannot be reached.
        """
        now = now or datetime.now(UTC)
        self._mark_crashed(time.monotonic() if monotonic is None else monotonic)
        if not webhook.is_configured():
            return
        active = self._read(alerts.ACTIVE)
        ended = self._read(alerts.ENDED, end_time={"after_": now - LOOKBACK})
        due = self._read({StateType.SCHEDULED}, expected_start_time={"before_": now})
        names = self._deployments([*active, *ended, *due])
        found = [
            *alerts.failed(ended, names),
            *alerts.late([*active, *ended, *due], names, now, self.watched_since),
            *alerts.stuck(active, names, now, self.stuck_after),
        ]
        for alert in found:
            self.alert_log.add(alert.key, webhook.payload(alert.text(), alert.fields()), now)
        for line in self.alert_log.deliver(now, {alert.key for alert in found}):
            self.log(line)

    def report(self, key: str, name: str, text: str) -> None:
        """Post an alert that is not about a run, once per `key`."""
        if webhook.is_configured():
            now = datetime.now(UTC)
            fields = {"alert": name, "id": key, "message": text}
            self.alert_log.add(key, webhook.payload(f"splitpose: {text}", fields), now)
            for line in self.alert_log.deliver(now):
                self.log(line)

    def _mark_crashed(self, now: float) -> None:
        """Mark runs without a sign of life as crashed."""
        timeout = MISSED_HEARTBEATS * (get_current_settings().flows.heartbeat_frequency or 60)
        runs = self._read(alerts.ACTIVE - {StateType.CANCELLING})
        signs = {}
        for run in runs:
            sign = (run.state_id, self._last_heartbeat(run))
            known, since = self.signs.get(run.id, (sign, now))
            since = since if known == sign else now
            if now - since < (timeout if run.state_type == StateType.RUNNING else PENDING_TIMEOUT):
                signs[run.id] = (sign, since)
                continue
            message = f"stopped sending heartbeats: no sign of life for {now - since:.0f} s"
            self.client.set_flow_run_state(run.id, Crashed(message=message))
            self.log(f"run {run.name} {message}; it is marked as crashed")
        self.signs = dict(signs)

    def _last_heartbeat(self, run: FlowRun) -> UUID | None:
        """Return the id of the last heartbeat of a run."""
        page = self.client.read_events(
            EventFilter(
                occurred=EventOccurredFilter.model_validate({"since": datetime.now(UTC) - LOOKBACK}),
                event=EventNameFilter(name=["prefect.flow-run.heartbeat"]),
                resource=EventResourceFilter(id=[f"prefect.flow-run.{run.id}"]),
            ),
            limit=1,
        )
        return page.events[0].id if page.events else None

    def _read(self, states: set[StateType], **more: object) -> list[FlowRun]:
        """Return our runs in these types of state that satisfy further filters."""
        criteria = {"tags": {"all_": [alerts.TAG]}, "state": {"type": {"any_": list(states)}}, **more}
        runs: list[FlowRun] = []
        while page := self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter.model_validate(criteria), limit=PAGE, offset=len(runs)
        ):
            runs += page
            if len(page) < PAGE:
                break
        return runs

    def _deployments(self, runs: list[FlowRun]) -> dict[object, str]:
        """Return the names of the runs' deployments by id."""
        ids = list({run.deployment_id for run in runs if run.deployment_id})
        if not ids:
            return {}
        criteria = DeploymentFilter.model_validate({"id": {"any_": ids}})
        return {one.id: one.name for one in self.client.read_deployments(deployment_filter=criteria)}


def post_directly(name: str, text: str) -> None:
    """Post an alert without the Prefect server, which keeps the others. Raises ExternalServiceError."""
    if webhook.is_configured():
        fields = {"alert": name, "id": f"{name}-{time.time():.0f}", "message": text}
        webhook.post(webhook.payload(f"splitpose: {text}", fields), DIRECT_RETRIES)
