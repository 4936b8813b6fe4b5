"""Automatic promotion: the model that was just built becomes champion if it passes the gate.

Files and metrics come from the workspace, versions from MLflow's model registry, rules from the profile's `gate`.
"""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from splitpose import paths
from splitpose.errors import ExternalServiceError, InputError
from splitpose.promotion import decision_log, gate, training_data
from splitpose.promotion.decision import Decision
from splitpose.promotion.gate import GateDecision, Opponent
from splitpose.settings import Params, Profile, load
from splitpose.tracking.model_registry import ModelRegistry
from splitpose.tracking.registered_version import RegisteredVersion


def decide(root: Path, runs: Mapping[str, str], dry_run: bool) -> Decision:
    """Compare the workspace's model with the champion, and promote it if it passes the gate, unless `dry_run`.

    The decision is logged with its metrics: as a tag of the challenger's version, then as a line of
    reports/decisions.jsonl. Lines that an interrupted run did not write are appended first. A model that was
    rolled back manually is promoted only manually.

    The first champion becomes the reference, too. In a registry of an earlier version, which has a champion but
    never had a reference, the present champion becomes the reference.

    Args:
        root: the project, up to date.
        runs: the MLflow run id of each variant.
        dry_run: do not change the registry; the logged decision is marked as a dry run.

    Raises:
        InputError: a file or the gate's variant is missing.
    """
    name = load(Params, root / paths.PARAMS).profile
    profile = load(Profile, root / paths.profile(name))
    variant, precision = profile.gate.variant, profile.gate.precision
    if variant not in runs:
        raise InputError(f"params.yaml: variants: {variant} is missing, which gate.variant of {name} promotes")
    tflite, log = root / paths.tflite(variant, precision), root / paths.DECISIONS
    weights = root / paths.final_weights(variant)
    registry = ModelRegistry(root, name)
    decision_log.restore(registry, log)
    champion = registry.champion()
    reference, result = _evaluate(root, profile, registry, tflite)
    sha256 = hashlib.sha256(tflite.read_bytes()).hexdigest()
    challenger = RegisteredVersion("", runs[variant], sha256, variant, precision, {})
    if not dry_run:
        challenger = registry.register(runs[variant], tflite, weights)
        training_data.record(root, profile, registry, challenger)
    veto = rollback_reason(decision_log.read(log), sha256)
    promoted = result.promote and veto is None
    reason = result.reason if veto is None else f"{veto}; {result.reason}"
    new_reference = None
    if reference is None and result.is_comparable:
        new_reference = champion or (challenger if promoted else None)
    if new_reference:
        reason += f"; {'the champion' if champion else 'the first champion'} is the reference from now on"
    decision = Decision(
        time=decision_log.timestamp(),
        profile=name,
        action="promote" if promoted else "keep",
        by="automatic",
        dry_run=dry_run,
        challenger=decision_log.describe_version(challenger),
        champion=_describe(champion),
        checks=[asdict(check) for check in result.checks],
        reason=reason,
        reference=_describe(reference or new_reference),
        warnings=result.warnings,
        metrics=result.metrics,
        user=decision_log.user_name(),
        host=decision_log.host_name(),
    )
    if dry_run:
        decision_log.append(log, decision)
    else:
        decision_log.execute(registry, challenger, decision, log, new_reference or reference)
    return decision


def _evaluate(
    root: Path, profile: Profile, registry: ModelRegistry, tflite: Path
) -> tuple[RegisteredVersion | None, GateDecision]:
    """Return the reference, None if there is none or it was deleted, and the decision of the gate."""
    champion, reference = registry.champion(), registry.reference()
    deleted_reference = registry.deleted_reference()
    # A registry that never had a reference: its champion becomes the reference, so both are the same.
    present = reference or (None if deleted_reference else champion)
    with tempfile.TemporaryDirectory() as folder:
        opponents = [
            _opponent(registry, champion, registry.deleted_champion(), Path(folder) / "champion"),
            _opponent(registry, present, deleted_reference, Path(folder) / "reference"),
        ]
        return reference, gate.evaluate(root, profile, tflite, *opponents)


def _opponent(
    registry: ModelRegistry, version: RegisteredVersion | None, deleted: str | None, folder: Path
) -> Opponent | None:
    """Download a version's file, or return the reason why it is not available; None if there never was one."""
    if version is None:
        error = f"{registry.name}, version {deleted}: was deleted from the model registry"
        return Opponent(None, error) if deleted else None
    try:
        return Opponent(registry.download(version, folder))
    except ExternalServiceError:  # the file may exist; a later run decides
        raise
    except InputError as error:
        return Opponent(None, str(error))


def _describe(version: RegisteredVersion | None) -> dict[str, Any] | None:
    return decision_log.describe_version(version) if version else None


def rollback_reason(decisions: Sequence[Decision], sha256: str) -> str | None:
    """Return why a file must not be promoted: it was rolled back and has not been promoted since; else None."""
    for decision in reversed(decisions):
        if decision.action == "promote" and not decision.dry_run and _has_hash(decision.challenger, sha256):
            return None
        if decision.action == "rollback" and _has_hash(decision.champion, sha256):
            by = f" by {decision.user} on {decision.host}" if decision.user else ""
            return (
                f"the challenger was rolled back manually{by} ({decision.reason}) and requires `splitpose promote`"
            )
    return None


def _has_hash(model: Mapping[str, Any] | None, sha256: str) -> bool:
    return model is not None and model.get("sha256") == sha256
