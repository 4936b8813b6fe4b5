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
from splitpose.promotion import decision_log, gate
from splitpose.promotion.decision import Decision
from splitpose.settings import Params, Profile, load
from splitpose.tracking.model_registry import ModelRegistry, RegisteredVersion


def decide(root: Path, runs: Mapping[str, str], dry_run: bool) -> Decision:
    """Compare the workspace's model with the champion, and promote it if it passes the gate, unless `dry_run`.

    The decision is logged with its metrics: as a tag of the challenger's version, then as a line of
    reports/decisions.jsonl. Lines that an interrupted run did not write are appended first. A model that was
    rolled back manually is promoted only manually.

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
    with tempfile.TemporaryDirectory() as folder:
        champion_file, champion_error = _download(registry, champion, Path(folder))
        result = gate.evaluate(root, profile, tflite, champion_file, champion_error)
    challenger = None if dry_run else registry.register(runs[variant], tflite, weights)
    sha256 = hashlib.sha256(tflite.read_bytes()).hexdigest()
    veto = rollback_reason(decision_log.read(log), sha256)
    decision = Decision(
        time=decision_log.timestamp(),
        profile=name,
        action="promote" if result.promote and veto is None else "keep",
        by="automatic",
        dry_run=dry_run,
        challenger=decision_log.describe_version(
            challenger or RegisteredVersion("", runs[variant], sha256, variant, precision, {})
        ),
        champion=decision_log.describe_version(champion) if champion else None,
        checks=[asdict(check) for check in result.checks],
        reason=result.reason if veto is None else f"{veto}; {result.reason}",
    )
    if challenger:
        decision_log.execute(registry, challenger, decision, log)
    else:
        decision_log.append(log, decision)
    return decision


def _download(
    registry: ModelRegistry, champion: RegisteredVersion | None, folder: Path
) -> tuple[Path | None, str | None]:
    """Return the champion's file, or the reason why it is not available; neither if there is no champion."""
    if champion is None:
        return None, None
    try:
        return registry.download(champion, folder), None
    except ExternalServiceError:  # the file may exist; a later run decides
        raise
    except InputError as error:
        return None, str(error)


def rollback_reason(decisions: Sequence[Decision], sha256: str) -> str | None:
    """Return why a file must not be promoted: it was rolled back and has not been promoted since; else None."""
    for decision in reversed(decisions):
        if decision.action == "promote" and not decision.dry_run and _has_hash(decision.challenger, sha256):
            return None
        if decision.action == "rollback" and _has_hash(decision.champion, sha256):
            return f"it was rolled back manually ({decision.reason}) and requires `splitpose promote`"
    return None


def _has_hash(model: Mapping[str, Any] | None, sha256: str) -> bool:
    return model is not None and model.get("sha256") == sha256
