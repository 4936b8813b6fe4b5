"""What is known about the champion, the reference and the decisions of a profile; nothing is changed."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from splitpose import paths
from splitpose.errors import ExternalServiceError, InputError
from splitpose.promotion import decision_log, training_data
from splitpose.promotion.decision import Decision
from splitpose.settings import Params, load
from splitpose.tracking.model_registry import TRAINING_GROUPS, ModelRegistry
from splitpose.tracking.registered_version import RegisteredVersion
from splitpose.tracking.runs import shorten_timeouts


def read_status(params: Path) -> dict[str, Any]:
    """Read the registry and the decision log of the profile that `params` names.

    Args:
        params: params.yaml of the project.

    Returns:
        {"profile", "registered_model", "champion", "reference" (None if there is none), "decisions"}, where the
        decisions are in order of time. A version is {"version", "variant", "precision", "run", "decision" (that
        chose it, or None), "file", "metrics", "training"}; "file" has the keys "location", "bytes", "sha256" and
        "error" (None if the file is intact); "metrics" are the latest of the decision log, None if there are none.

    Raises:
        InputError: there is no champion, or a line of the decision log is damaged.
    """
    shorten_timeouts()
    profile = load(Params, params).profile
    registry = ModelRegistry(params.parent, profile)
    champion, reference = registry.champion(), registry.reference()
    if champion is None:
        raise InputError(f"{registry.name}: {_explain_missing_champion(registry)}")
    logged = decision_log.history(registry, params.parent / paths.DECISIONS)
    decisions = [decision for decision in logged if decision.profile == profile]
    return {
        "profile": profile,
        "registered_model": registry.name,
        "champion": _describe(registry, champion, find_promotion(decisions, champion.number), decisions),
        "reference": reference
        and _describe(registry, reference, find_reference_change(decisions, reference.number), decisions),
        "decisions": [asdict(decision) for decision in decisions],
    }


def _explain_missing_champion(registry: ModelRegistry) -> str:
    if deleted := registry.deleted_champion():
        return (
            f"the champion, version {deleted}, was deleted from the model registry; restore the previous one with "
            "`splitpose rollback`, or choose a version with `splitpose promote`"
        )
    versions = ", ".join(version.number for version in registry.versions())
    if versions:
        return f"there is no champion yet; choose a version with `splitpose promote --version` from {versions}"
    return "there is no champion yet; `splitpose retrain` trains and promotes the first one"


def find_promotion(decisions: Sequence[Decision], number: str) -> Decision | None:
    """Return the latest decision that made a version the champion.

    None if the last change of the champion was another version's, because the alias was set without splitpose.
    """
    changes = [one for one in decisions if one.action in ("promote", "rollback") and not one.dry_run]
    return changes[-1] if changes and _number(changes[-1].challenger) == number else None


def find_reference_change(decisions: Sequence[Decision], number: str) -> Decision | None:
    """Return the decision since which a version has been the reference, None if it is not in the log."""
    since = None
    for decision in reversed([one for one in decisions if not one.dry_run]):
        if _number(decision.reference) != number:
            break
        since = decision
    return since


def find_metrics(decisions: Sequence[Decision], sha256: str) -> dict[str, Any] | None:
    """Return the latest metrics of a file, None if it was never measured.

    Returns:
        {"time", "evaluation_set", "test_instances", "target", "pck_0.2_mean", "p95_ms", "bytes"}.
    """
    for decision in reversed(decisions):
        if decision.metrics:
            for role in ("challenger", "champion"):
                model = getattr(decision, role)
                values = decision.metrics["models"].get(role)
                if model and values and model.get("sha256") == sha256:
                    common = {key: value for key, value in decision.metrics.items() if key != "models"}
                    return {"time": decision.time, **common, **values}
    return None


def _describe(
    registry: ModelRegistry,
    version: RegisteredVersion,
    decision: Decision | None,
    decisions: Sequence[Decision],
) -> dict[str, Any]:
    summary = training_data.read(version)
    return {
        "version": version.number,
        "variant": version.variant,
        "precision": version.precision,
        "run": version.run,
        "decision": decision and asdict(decision),
        "file": _describe_file(registry, version),
        "metrics": find_metrics(decisions, version.sha256),
        "training": {
            "data": summary,
            "description": summary and training_data.describe(summary),
            "groups": version.tags.get(TRAINING_GROUPS),
        },
    }


def _describe_file(registry: ModelRegistry, version: RegisteredVersion) -> dict[str, Any]:
    """Return where the version's file is, its size and hash, and why it cannot be used."""
    facts = {"location": registry.file_location(version), "sha256": version.sha256}
    with tempfile.TemporaryDirectory() as folder:
        try:
            size = registry.download(version, Path(folder)).stat().st_size
        except ExternalServiceError:
            raise
        except InputError as error:
            return {**facts, "bytes": None, "error": str(error)}
    return {**facts, "bytes": size, "error": None}


def _number(model: dict[str, Any] | None) -> str | None:
    return model.get("number") if model else None
