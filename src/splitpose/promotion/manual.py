"""Manual promotion: make any version the champion, or restore the previous one. Every decision is logged."""

import tempfile
from pathlib import Path
from typing import Literal

from splitpose import paths
from splitpose.errors import InputError
from splitpose.promotion import decision_log
from splitpose.promotion.decision import Decision
from splitpose.settings import Params, load
from splitpose.tracking.model_registry import ModelRegistry, RegisteredVersion
from splitpose.tracking.runs import shorten_timeouts


def promote(params: Path, number: str | None, reason: str) -> str:
    """Make a version the champion of the profile that `params` names.

    Args:
        params: params.yaml of the project.
        number: the version's number, None for the challenger.
        reason: one line for the decision log.

    Returns:
        One line that names the champion.

    Raises:
        InputError: there is no such version, or its file is not available; nothing changes then.
    """
    registry, profile = _open_registry(params)
    champion, version = registry.champion(), _select(registry, number)
    if champion and champion.number == version.number:
        return f"champion of {profile}: {_label(version)}, unchanged"
    return _execute(params, registry, _decision(profile, "promote", version, champion, reason), version)


def rollback(params: Path, reason: str) -> str:
    """Restore the previous champion of the profile that `params` names; a second rollback the one before that.

    Args:
        params: params.yaml of the project.
        reason: one line for the decision log.

    Returns:
        One line that names the champion.

    Raises:
        InputError: there is no earlier champion, or its file is not available; nothing changes then.
    """
    registry, profile = _open_registry(params)
    champion, version = registry.champion(), registry.previous_champion()
    return _execute(params, registry, _decision(profile, "rollback", version, champion, reason), version)


def _open_registry(params: Path) -> tuple[ModelRegistry, str]:
    """Return the model registry of the profile, and the profile's name."""
    shorten_timeouts()
    profile = load(Params, params).profile
    registry = ModelRegistry(params.parent, profile)
    decision_log.restore(registry, params.parent / paths.DECISIONS)
    return registry, profile


def _select(registry: ModelRegistry, number: str | None) -> RegisteredVersion:
    """Return the version with a number, or the challenger. Raises InputError if there is none."""
    versions = registry.versions()
    if not versions:
        raise InputError(f"{registry.name}: has no version yet; `splitpose retrain` registers one")
    version = registry.challenger() if number is None else next((v for v in versions if v.number == number), None)
    if version is None:
        numbers = ", ".join(version.number for version in versions)
        missing = "challenger" if number is None else f"version {number}"
        raise InputError(f"{registry.name}: there is no {missing}; choose a --version from {numbers}")
    return version


def _decision(
    profile: str,
    action: Literal["promote", "rollback"],
    version: RegisteredVersion,
    champion: RegisteredVersion | None,
    reason: str,
) -> Decision:
    return Decision(
        time=decision_log.timestamp(),
        profile=profile,
        action=action,
        by="manual",
        dry_run=False,
        challenger=decision_log.describe_version(version),
        champion=decision_log.describe_version(champion) if champion else None,
        checks=[],
        reason=" ".join(reason.split()) or "no reason given",
    )


def _execute(params: Path, registry: ModelRegistry, decision: Decision, version: RegisteredVersion) -> str:
    """Apply and log the decision, and return a line that names the champion.

    Raises:
        InputError: the version's file is not available; nothing changes then.
    """
    with tempfile.TemporaryDirectory() as folder:
        registry.download(version, Path(folder))
    decision_log.execute(registry, version, decision, params.parent / paths.DECISIONS)
    replaced = f"replaces version {decision.champion['number']}" if decision.champion else "the first champion"
    return f"champion of {decision.profile}: {_label(version)}, {replaced}"


def _label(version: RegisteredVersion) -> str:
    return f"version {version.number} ({version.variant} {version.precision})"
