"""Champion by a person's word: promote any version, or go back to the champion before. Kept as every decision."""

import os
import tempfile
from pathlib import Path
from typing import Literal

from splitpose.errors import InputError
from splitpose.promotion.decision_log import Decision
from splitpose.promotion.decision_store import DECISIONS, facts, keep, now, restore
from splitpose.settings import Params, load
from splitpose.tracking.model_registry import Registry, Version


def promote(params: Path, number: str | None, reason: str) -> str:
    """Make a version the champion of the profile that `params` names.

    Args:
        params: params.yaml of the project.
        number: of the version, None for the challenger.
        reason: why, one line.

    Returns:
        One line: who is champion now.

    Raises InputError where there is no such version or its file cannot be had; nothing changes then.
    """
    registry, profile = _registry(params)
    champion, version = registry.champion(), _chosen(registry, number)
    if champion and champion.number == version.number:
        return f"champion of {profile}: {_called(version)}, as before"
    _check(registry, version)
    keep(registry, version, _decision(profile, "promote", version, champion, reason), params.parent / DECISIONS)
    return _line(profile, version, champion)


def rollback(params: Path, reason: str) -> str:
    """Make the one champion whom the present one replaced; once more goes back one more.

    Takes and returns what `promote` does. Raises InputError where there is none or its file cannot be had; nothing
    changes then.
    """
    registry, profile = _registry(params)
    champion, version = registry.champion(), registry.previous()
    _check(registry, version)
    keep(registry, version, _decision(profile, "rollback", version, champion, reason), params.parent / DECISIONS)
    return _line(profile, version, champion)


def _registry(params: Path) -> tuple[Registry, str]:
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")  # seconds: a person waits for no server
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    profile = load(Params, params).profile
    registry = Registry(params.parent, profile)
    restore(registry, params.parent / DECISIONS)
    return registry, profile


def _chosen(registry: Registry, number: str | None) -> Version:
    versions = registry.versions()
    if not versions:
        raise InputError(f"{registry.name}: has no version yet; `splitpose retrain` registers one")
    version = registry.challenger() if number is None else next((v for v in versions if v.number == number), None)
    if version is None:
        numbers = ", ".join(one.number for one in versions)
        missing = "challenger" if number is None else f"version {number}"
        raise InputError(f"{registry.name}: there is no {missing}; give --version, one of {numbers}")
    return version


def _check(registry: Registry, version: Version) -> None:
    """Fetch the version's file: a champion whose file nobody can have is none."""
    with tempfile.TemporaryDirectory() as folder:
        registry.fetch(version, Path(folder))


def _decision(
    profile: str, action: Literal["promote", "rollback"], version: Version, champion: Version | None, reason: str
) -> Decision:
    return Decision(
        time=now(),
        profile=profile,
        action=action,
        by="hand",
        dry_run=False,
        challenger=facts(version),
        champion=facts(champion) if champion else None,
        checks=[],
        reason=" ".join(reason.split()) or "no reason given",
    )


def _line(profile: str, version: Version, champion: Version | None) -> str:
    replaced = f"in the place of version {champion.number}" if champion else "the first one"
    return f"champion of {profile}: {_called(version)}, {replaced}"


def _called(version: Version) -> str:
    return f"version {version.number} ({version.variant} {version.precision})"
