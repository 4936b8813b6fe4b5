"""The champion according to the decision log, without MLflow, whose import and look-up take seconds.

The log contains every change of the champion that splitpose makes on this machine, and those made elsewhere as
soon as a run or command here has read the registry (see `decision_log.restore`). It does not contain changes of the
alias in MLflow itself.
"""

from dataclasses import dataclass
from pathlib import Path

from splitpose.promotion import decision_log

ACTIONS = {"promote": "promoted", "rollback": "restored"}
"""The actions that change the champion, and what happened to the new one."""


@dataclass(frozen=True)
class LoggedChampion:
    """The champion and when it became so."""

    number: str
    """The version's number in the model registry."""
    sha256: str
    """The hash of its TFLite file, "" if it is not known."""
    action: str
    """"promoted" or "restored"."""
    date: str
    """UTC, e.g. 2026-11-22."""


def logged_champion(log: Path, profile: str) -> LoggedChampion | None:
    """Return the champion of a profile, None if the log contains none.

    Args:
        log: reports/decisions.jsonl.
        profile: name of the profile.

    Raises:
        InputError: a line of the log is not a decision.
    """
    for decision in reversed(decision_log.read(log)):
        if decision.profile == profile and decision.action in ACTIONS and not decision.dry_run:
            champion = decision.challenger or {}  # the version that the decision has made the champion
            time = decision.time
            return LoggedChampion(
                number=str(champion.get("number", "")),
                sha256=str(champion.get("sha256", "")),
                action=ACTIONS[decision.action],
                date=f"{time[:4]}-{time[4:6]}-{time[6:8]}",
            )
    return None
