"""Manual promotion: make any version the champion or the reference, or restore the previous champion.

Every decision is logged. A version that becomes champion in a registry that never had a reference also becomes the
reference.
"""

import tempfile
from pathlib import Path

from splitpose import paths
from splitpose.errors import InputError
from splitpose.promotion import decision_log
from splitpose.promotion.decision import Action, Decision
from splitpose.settings import Params, load
from splitpose.tracking.model_registry import ModelRegistry
from splitpose.tracking.registered_version import RegisteredVersion
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
    return _change_champion(params, registry, "promote", version, reason)


def set_reference(params: Path, number: str | None, reason: str) -> str:
    """Make a version the reference of the profile that `params` names; the champion does not change.

    Args:
        params: params.yaml of the project.
        number: the version's number, None for the champion.
        reason: one line for the decision log.

    Returns:
        One line that names the reference.

    Raises:
        InputError: there is no such version, or its file is not available; nothing changes then.
    """
    registry, profile = _open_registry(params)
    champion, previous = registry.champion(), registry.reference()
    if number is None and champion is None:
        raise InputError(f"{registry.name}: there is no champion; choose a --version")
    version = champion if number is None and champion else _select(registry, number)
    if previous and previous.number == version.number:
        return f"reference of {profile}: {_label(version)}, unchanged"
    decision = _decision(profile, "reference", version, champion, reason, version)
    _execute(params, registry, decision, version, version)
    replaced = f"replaces version {previous.number}" if previous else "the first reference"
    return f"reference of {profile}: {_label(version)}, {replaced}"


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
    registry, _ = _open_registry(params)
    return _change_champion(params, registry, "rollback", registry.previous_champion(), reason)


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


def _change_champion(
    params: Path, registry: ModelRegistry, action: Action, version: RegisteredVersion, reason: str
) -> str:
    """Make a version the champion, and return a line that names it.

    Raises:
        InputError: the version's file is not available; nothing changes then.
    """
    profile, champion, reference = load(Params, params).profile, registry.champion(), registry.reference()
    is_first = reference is None and registry.deleted_reference() is None
    new_reference = version if is_first else None
    decision = _decision(profile, action, version, champion, reason, new_reference or reference)
    _execute(params, registry, decision, version, new_reference)
    replaced = f"replaces version {champion.number}" if champion else "the first champion"
    return f"champion of {profile}: {_label(version)}, {replaced}"


def _decision(
    profile: str,
    action: Action,
    version: RegisteredVersion,
    champion: RegisteredVersion | None,
    reason: str,
    reference: RegisteredVersion | None,
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
        reference=decision_log.describe_version(reference) if reference else None,
        user=decision_log.user_name(),
        host=decision_log.host_name(),
    )


def _execute(
    params: Path,
    registry: ModelRegistry,
    decision: Decision,
    version: RegisteredVersion,
    reference: RegisteredVersion | None,
) -> None:
    """Apply and log the decision.

    Raises:
        InputError: the version's file is not available; nothing changes then.
    """
    with tempfile.TemporaryDirectory() as folder:
        registry.download(version, Path(folder))
    decision_log.execute(registry, version, decision, params.parent / paths.DECISIONS, reference)


def _label(version: RegisteredVersion) -> str:
    return f"version {version.number} ({version.variant} {version.precision})"
