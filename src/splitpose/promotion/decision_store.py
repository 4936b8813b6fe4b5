"""Decisions kept where nothing loses them: a tag of the version, the alias, a line of reports/decisions.jsonl."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from splitpose.promotion import decision_log
from splitpose.promotion.decision_log import Decision
from splitpose.tracking.model_registry import Registry, Version

DECISIONS = Path("reports/decisions.jsonl")
TAG = "splitpose.decision."
"""Of a version in the registry: begins the name of the tag that keeps a decision; its time ends it."""


def keep(registry: Registry, version: Version, decision: Decision, path: Path) -> None:
    """Keep a decision on a version, and carry it out.

    In this order, so that whatever ends it, nothing is lost: the tag, the alias, the line; `restore` writes lines
    whose tags have none.
    """
    registry.tag(version, {f"{TAG}{decision.time}": json.dumps(asdict(decision))})
    if decision.action == "promote":
        registry.promote(version)
    elif decision.action == "rollback":
        registry.rollback()
    decision_log.append(path, decision)


def restore(registry: Registry, path: Path) -> None:
    """Write the lines of decisions that the registry knows and the file does not, in order of time."""
    known = {decision.time for decision in decision_log.read(path)}
    tags = [text for version in registry.versions() for key, text in version.tags.items() if key.startswith(TAG)]
    missing = [Decision(**values) for values in map(json.loads, tags) if values["time"] not in known]
    for decision in sorted(missing, key=lambda decision: decision.time):
        decision_log.append(path, decision)


def now() -> str:
    """UTC, to the microsecond: 20261122T235959.123456Z. No two decisions share it."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def facts(version: Version) -> dict[str, Any]:
    """What a decision says of a version."""
    return {key: value for key, value in asdict(version).items() if key != "tags"}
