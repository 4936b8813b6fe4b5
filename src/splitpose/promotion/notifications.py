"""Messages about decisions: every promotion, rejection, rollback and change of the reference is posted."""

import logging

from splitpose import webhook
from splitpose.errors import ExternalServiceError, InputError
from splitpose.promotion.decision import Action, Decision

RETRIES = 3
NAMES: dict[Action, str] = {
    "promote": "promotion",
    "keep": "rejection",
    "rollback": "rollback",
    "reference": "reference",
}
"""The value of the payload's field `alert` for each action."""
logger = logging.getLogger(__name__)


def notify(decision: Decision) -> None:
    """Post a decision to the webhook, if there is one.

    A night without new data, after which the champion was compared with itself, is not reported. A failure is only
    a warning in the log, because the decision has been made already.
    """
    compared_with_itself = decision.action == "keep" and _number(decision.challenger) == _number(decision.champion)
    if decision.dry_run or compared_with_itself or not webhook.is_configured():
        return
    try:
        text = f"splitpose: {decision.profile}: {decision.headline} [{decision.author}]"
        webhook.post(webhook.payload(text, _fields(decision)), RETRIES)
    except (ExternalServiceError, InputError) as error:
        logger.warning("%s; the decision itself is in the decision log", error)


def _fields(decision: Decision) -> dict[str, object]:
    """Return the decision's fields for programs."""
    return {
        "alert": NAMES[decision.action],
        "id": decision.time,
        "profile": decision.profile,
        "by": decision.by,
        "user": decision.user,
        "host": decision.host,
        "version": _number(decision.challenger),
        "champion_before": _number(decision.champion),
        "reason": decision.reason,
    }


def _number(model: dict[str, object] | None) -> str | None:
    """Return the number of a version, None if there is no version."""
    return str(model["number"]) if model else None
