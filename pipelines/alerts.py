"""What Prefect's server does by itself: it ends runs that died without a word, and tells somebody of bad ends."""

from datetime import timedelta
from typing import Literal

from prefect.automations import Automation
from prefect.blocks.webhook import Webhook
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, CallWebhook, ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.settings import get_current_settings
from pydantic import SecretStr

BLOCK = "splitpose-alarm"
TAG = "prefect.tag.splitpose"
"""Of the runs of prefect.yaml's deployments."""
MESSAGE = (
    '{"alarm": "%s", "flow": "{{ flow.name }}", "run": "{{ flow_run.name }}", '
    '"state": "{{ flow_run.state.name }}", "message": {{ (flow_run.state.message or "") | tojson }}}'
)
"""What is posted; Prefect's server fills it in."""
BEATS = 3
"""Heartbeats that a run may miss until it counts as dead: its machine was switched off, or the run was killed."""

HEARTBEAT = {"prefect.flow-run.heartbeat"}
FAILED = {f"prefect.flow-run.{state}" for state in ("Failed", "Crashed", "TimedOut")}
ENDED = FAILED | {"prefect.flow-run.Completed", "prefect.flow-run.Cancelled"}


async def set_up(webhook: str | None, stuck_after: timedelta) -> None:
    """Set the server's automations up for our deployments, in place of what was set up before.

    Args:
        webhook: address that a line of JSON is posted to when a run failed, died, is late or hangs; None for none.
            It may hold a secret, so the server keeps it as one.
        stuck_after: a run that has not ended so long after its start hangs.
    """
    beats = timedelta(seconds=BEATS * (get_current_settings().flows.heartbeat_frequency or 60))
    died = ChangeFlowRunState(
        state=StateType.CRASHED, name="Crashed", message="it died without a word", force=False
    )
    await _put("died", _trigger(Posture.Proactive, HEARTBEAT | ENDED, HEARTBEAT, beats), died)
    if webhook is None:
        return
    block = await Webhook(method="POST", url=SecretStr(webhook)).save(BLOCK, overwrite=True)
    triggers = {
        "failed": _trigger(Posture.Reactive, FAILED),
        "late": _trigger(Posture.Reactive, {"prefect.flow-run.Late"}),
        "stuck": _trigger(Posture.Proactive, ENDED, {"prefect.flow-run.Running"}, stuck_after),
    }
    for word, trigger in triggers.items():
        await _put(word, trigger, CallWebhook(block_document_id=block, payload=MESSAGE % word))


def _trigger(
    posture: Literal[Posture.Reactive, Posture.Proactive],
    expect: set[str],
    after: set[str] | None = None,
    within: timedelta = timedelta(0),
) -> EventTrigger:
    """Of each of our runs alone. Reactive: `expect` came. Proactive: it did not come in time after `after`."""
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


async def _put(word: str, trigger: EventTrigger, action: ActionTypes) -> None:
    automation = Automation(name=f"splitpose: {word}", trigger=trigger, actions=[action])
    try:
        known = await Automation.aread(name=automation.name)
    except ValueError:
        await automation.acreate()
        return
    if not _same(known, automation):  # a changed one forgets which runs it watches
        automation.id = known.id
        await automation.aupdate()


def _same(known: Automation, wanted: Automation) -> bool:
    """Whether two automations do the same on the same occasions."""
    return known.actions == wanted.actions and known.trigger.model_dump(
        exclude={"id"}
    ) == wanted.trigger.model_dump(exclude={"id"})
