"""The monitor of `splitpose schedule` with a real Prefect server and a real receiver of webhooks."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import VariableUpdate
from prefect.client.schemas.objects import StateType
from prefect.events import Event
from prefect.events.clients import get_events_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Failed, Pending, Running, Scheduled

from pipelines import alerts, automations
from pipelines.alert_log import PREFIX
from pipelines.monitor import Monitor

pytestmark = pytest.mark.integration

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def client(shared_prefect):
    url = shared_prefect.health.removesuffix("/health")
    with temporary_settings({PREFECT_API_URL: url}), get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def create(client):
    """Return a function that creates a run of a deployment in a sequence of states; all are deleted afterwards."""
    flow = client.create_flow_from_name("toy")
    deployment = client.create_deployment(flow_id=flow, name="nightly")
    created = []

    def function(*states):
        run = client.create_flow_run_from_deployment(deployment, state=states[0], tags=[alerts.TAG])
        for state in states[1:]:
            client.set_flow_run_state(run.id, state, force=True)
        created.append(run.id)
        return client.read_flow_run(run.id)

    yield function
    for run in created:
        client.delete_flow_run(run)
    for one in client.read_variables(limit=200):
        client.delete_variable_by_name(one.name)


def test_a_failure_is_posted_once_by_several_monitors(client, create, receiver, capsys):
    run = create(Pending(), Running(), Failed(message="wait: input.csv:\nno such file"))
    for _ in range(2):
        monitor = Monitor(client, HOUR, print)
        monitor.check()
        monitor.check()
    key = f"failed-{run.id}-1"
    text = f"splitpose: nightly: run {run.name} failed (Failed): wait: input.csv: no such file"
    assert receiver.posted == [
        {
            "alert": "failed",
            "id": key,
            "deployment": "nightly",
            "run": run.name,
            "state": "Failed",
            "message": "wait: input.csv: no such file",
            "text": text,
        }
    ]
    assert capsys.readouterr().out == ""
    client.set_flow_run_state(run.id, Running(), force=True)
    client.set_flow_run_state(run.id, Failed(), force=True)
    monitor.check()
    assert [one["id"] for one in receiver.posted] == [key, f"failed-{run.id}-2"]


def test_a_failed_delivery_is_repeated_and_visible(client, create, receiver):
    create(Pending(), Running(), Failed())
    receiver.statuses = [500, 404]
    lines: list[str] = []
    monitor, now = Monitor(client, HOUR, lines.append), datetime.now(UTC)
    for seconds in (0, 5, 11, 12, 32, 33):
        monitor.check(now=now + timedelta(seconds=seconds))
    assert len(receiver.posted) == 3  # after 0, 11 and 32 seconds
    assert len({one["id"] for one in receiver.posted}) == 1
    assert [line.split("; ")[-1] for line in lines] == ["attempt 1, next in 10 s", "attempt 2, next in 20 s"]
    assert "status 500" in lines[0]
    assert "secret-path" not in "".join(lines)
    (variable,) = client.read_variables()
    assert variable.name.startswith(PREFIX)
    assert variable.value["attempts"] == 3
    assert variable.value["delivered"]


def test_a_new_alert_of_another_machine_is_left_to_it(client, create, receiver):
    create(Pending(), Running(), Failed())
    receiver.statuses = [500]
    monitor, now = Monitor(client, HOUR, print), datetime.now(UTC)
    monitor.check(now=now)
    (variable,) = client.read_variables()
    client.update_variable(VariableUpdate(name=variable.name, value=variable.value | {"owner": "other:/project"}))
    monitor.check(now=now + HOUR)
    assert len(receiver.posted) == 1


def test_a_run_without_heartbeats_is_crashed_and_reported_within_two_minutes(client, create, receiver):
    run = create(Pending(), Running())
    monitor = Monitor(client, HOUR, print)
    monitor.check(monotonic=0.0)
    _send_heartbeat(run)
    monitor.check(monotonic=60.0)
    monitor.check(monotonic=149.0)
    assert client.read_flow_run(run.id).state_type == StateType.RUNNING
    monitor.check(monotonic=150.0)
    assert client.read_flow_run(run.id).state_type == StateType.CRASHED
    (posted,) = receiver.posted
    assert posted["state"] == "Crashed"
    assert posted["message"] == "stopped sending heartbeats: no sign of life for 90 s"


def test_a_run_that_a_worker_has_taken_and_not_started_is_crashed(client, create, receiver):
    run = create(Pending())
    monitor = Monitor(client, HOUR, print)
    monitor.check(monotonic=0.0)
    monitor.check(monotonic=299.0)
    assert client.read_flow_run(run.id).state_type == StateType.PENDING
    monitor.check(monotonic=300.0)
    assert client.read_flow_run(run.id).state_type == StateType.CRASHED


def test_a_run_does_not_crash_because_the_server_did_not_answer(client, create, receiver):
    run = create(Pending(), Running())
    monitor = Monitor(client, HOUR, print)
    monitor.check(monotonic=0.0)
    monitor.restart()
    monitor.check(monotonic=600.0)
    assert client.read_flow_run(run.id).state_type == StateType.RUNNING


def test_a_queued_run_is_not_late_and_a_run_that_nobody_starts_is(client, create, receiver):
    now = datetime.now(UTC)
    active = create(Pending(), Running())
    queued = create(Scheduled(scheduled_time=now - HOUR))
    monitor = Monitor(client, 2 * HOUR, print)
    monitor.check(now=now + 0.5 * HOUR)
    client.set_flow_run_state(active.id, Completed(), force=True)
    monitor.check(now=now + timedelta(minutes=4))
    assert receiver.posted == []
    for minutes in (7, 8):
        monitor.check(now=now + timedelta(minutes=minutes))
    (posted,) = receiver.posted
    assert (posted["alert"], posted["run"]) == ("late", queued.name)


def test_a_stuck_run_is_posted_once(client, create, receiver):
    run = create(Pending(), Running())
    monitor, now = Monitor(client, HOUR, print), datetime.now(UTC)
    for hours in (0.9, 1.1, 24 * 5, 24 * 5 + 1):
        monitor.check(now=now + hours * HOUR)
    (posted,) = receiver.posted
    assert (posted["alert"], posted["run"]) == ("stuck", run.name)


def test_without_a_webhook_runs_still_crash(client, create, monkeypatch):
    monkeypatch.delenv("SPLITPOSE_WEBHOOK", raising=False)
    run = create(Pending(), Running())
    monitor = Monitor(client, HOUR, print)
    monitor.check(monotonic=0.0)
    monitor.check(monotonic=90.0)
    assert client.read_flow_run(run.id).state_type == StateType.CRASHED
    assert client.read_variables() == []


def test_automations_of_earlier_versions_are_removed(client):
    from prefect.automations import Automation
    from prefect.blocks.webhook import Webhook
    from prefect.events.actions import DoNothing
    from prefect.events.schemas.automations import EventTrigger, Posture

    trigger = EventTrigger(posture=Posture.Reactive, expect={"never"}, threshold=1)
    for name in ("splitpose: late", "another"):
        Automation(name=name, trigger=trigger, actions=[DoNothing()]).create()
    Webhook(url="http://127.0.0.1/secret").save(automations.BLOCK)
    for _ in range(2):
        automations.remove(client)
    assert [one.name for one in client.read_automations()] == ["another"]


def _send_heartbeat(run):
    """Send a heartbeat of a run, and wait until the server has stored it."""
    import asyncio
    import time

    event = Event(
        event="prefect.flow-run.heartbeat",
        resource={"prefect.resource.id": f"prefect.flow-run.{run.id}"},
        id=uuid.uuid4(),
    )

    async def send():
        async with get_events_client() as events:
            await events.emit(event)

    asyncio.run(send())
    with get_client(sync_client=True) as client:
        deadline = time.monotonic() + 30
        while not Monitor(client, HOUR, print)._last_heartbeat(run):
            assert time.monotonic() < deadline
            time.sleep(0.2)
