"""Which runs are reported, without a server."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import Completed, Crashed, Failed, Pending, Running, Scheduled

from pipelines import alerts

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=2)
DEPLOYMENT = uuid.uuid4()


def minutes_ago(minutes):
    return NOW - timedelta(minutes=minutes)


def run(state, **values):
    return FlowRun(
        flow_id=uuid.uuid4(),
        name="a",
        deployment_id=DEPLOYMENT,
        state=state,
        state_type=state.type,
        state_name=state.name,
        **values,
    )


def scheduled(minutes):
    return run(Scheduled(), expected_start_time=minutes_ago(minutes))


@pytest.mark.parametrize(
    ("others", "watched_since", "is_late"),
    [
        ([], LONG_AGO, True),
        ([run(Running())], LONG_AGO, False),
        ([run(Pending())], LONG_AGO, False),
        ([run(Completed(), end_time=minutes_ago(4))], LONG_AGO, False),
        ([run(Failed(), end_time=minutes_ago(6))], LONG_AGO, True),
        ([], minutes_ago(4), False),
    ],
)
def test_a_run_is_late_if_nothing_holds_it_up_for_five_minutes(others, watched_since, is_late):
    due = scheduled(60)
    found = alerts.late([due, *others], {DEPLOYMENT: "nightly"}, NOW, watched_since)
    assert [(one.name, one.key, one.deployment) for one in found] == (
        [("late", f"late-{due.id}", "nightly")] if is_late else []
    )


def test_a_run_that_is_due_for_less_than_five_minutes_is_not_late():
    assert alerts.late([scheduled(4)], {}, NOW, LONG_AGO) == []


def test_failed_and_crashed_runs_are_reported_with_one_line():
    runs = [run(Failed(message=" a:\n  b")), run(Crashed(message="x" * 2000)), run(Completed()), run(Running())]
    found = alerts.failed(runs, {DEPLOYMENT: "nightly"})
    assert [one.message for one in found] == ["a: b", "x" * 1000]
    assert found[0].text() == "splitpose: nightly: run a failed (Failed): a: b"
