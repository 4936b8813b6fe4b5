"""Prefect automations: the server marks dead runs as crashed and posts alerts to a webhook."""

from datetime import timedelta
from typing import Literal

from prefect.automations import Automation
from prefect.blocks.webhook import Webhook
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, CallWebhook, ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.settings import get_current_settings
from pydantic import SecretStr

BLOCK = "splitpose-alert"
TAG = "prefect.tag.splitpose"
"""The tag of the runs of prefect.yaml's deployments."""
PAYLOAD = (
    '{"alert": "%s", "flow": "{{ flow.name }}", "run": "{{ flow_run.name }}", '
    '"state": "{{ flow_run.state.name }}", "message": {{ (flow_run.state.message or "") | tojson }}}'
)
"""The template of an alert's payload; the Prefect server renders it."""
MISSED_HEARTBEATS = 3
"""Heartbeats after which a silent run counts as crashed: its machine is off, or its process was killed."""

HEARTBEAT = {"prefect.flow-run.heartbeat"}
FAILED = {f"prefect.flow-run.{state}" for state in ("Failed", "Crashed", "TimedOut")}
ENDED = FAILED | {"prefect.flow-run.Completed", "prefect.flow-run.Cancelled"}


async def set_up(webhook: str | None, stuck_after: timedelta) -> None:
    """Create or update the server's automations for our deployments.

    Args:
        webhook: URL to which a JSON payload is posted when a run fails, crashes, is late or is stuck; None for no
            alerts. It may contain a secret, so the server stores it as one.
        stuck_after: duration after which an unfinished run counts as stuck.
    """
    timeout = timedelta(seconds=MISSED_HEARTBEATS * (get_current_settings().flows.heartbeat_frequency or 60))
    crash = ChangeFlowRunState(
        state=StateType.CRASHED, name="Crashed", message="stopped sending heartbeats", force=False
    )
    await _save("crashed", _trigger(Posture.Proactive, HEARTBEAT | ENDED, HEARTBEAT, timeout), crash)
    if webhook is None:
        return
    block = await Webhook(method="POST", url=SecretStr(webhook)).save(BLOCK, overwrite=True)
    triggers = {
        "failed": _trigger(Posture.Reactive, FAILED),
        "late": _trigger(Posture.Reactive, {"prefect.flow-run.Late"}),
        "stuck": _trigger(Posture.Proactive, ENDED, {"prefect.flow-run.Running"}, stuck_after),
    }
    for alert, trigger in triggers.items():
        await _save(alert, trigger, CallWebhook(block_document_id=block, payload=PAYLOAD % alert))


def _trigger(
    posture: Literal[Posture.Reactive, Posture.Proactive],
    expect: set[str],
    after: set[str] | None = None,
    within: timedelta = timedelta(0),
) -> EventTrigger:
    """Return a trigger that watches each of our runs separately.

    A reactive trigger fires on an event in `expect`; a proactive one fires if none of them follows an event in
    `after` within the duration `within`.
    """
    return EventTrigger(
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related={"prefect.resource.id": [TAG], "prefect.resource.role": ["tag"]},
        for_each={"prefect.resource.id"},
        posture=posture,
        expect=expect,
        after=after or set(),
        within=within,
        threshold=1,
    )


async def _save(name: str, trigger: EventTrigger, action: ActionTypes) -> None:
    """Create an automation, or update the one of this name if it differs."""
    automation = Automation(name=f"splitpose: {name}", trigger=trigger, actions=[action])
    try:
        present = await Automation.aread(name=automation.name)
    except ValueError:
        await automation.acreate()
        return
    if not _is_equal(present, automation):  # an update would make Prefect forget the runs that it watches
        automation.id = present.id
        await automation.aupdate()


def _is_equal(present: Automation, expected: Automation) -> bool:
    """Return whether two automations have the same trigger and the same actions."""
    return present.actions == expected.actions and present.trigger.model_dump(
        exclude={"id"}
    ) == expected.trigger.model_dump(exclude={"id"})
