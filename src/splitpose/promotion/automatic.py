"""Champion by the gate's word: whether the model that was just made takes the place of the one in use.

Files and figures come from the workspace, versions from MLflow's registry, the rules from the profile's `gate`.
"""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from splitpose.errors import ExternalServiceError, InputError
from splitpose.promotion import decision_log, gate
from splitpose.promotion.decision_log import Decision
from splitpose.promotion.decision_store import DECISIONS, facts, keep, now, restore
from splitpose.settings import Params, Profile, load
from splitpose.tracking.model_registry import Registry, Version


def decide(root: Path, runs: Mapping[str, str], dry_run: bool) -> Decision:
    """Judge the workspace's model against the champion; promote it where it passes, unless `dry_run`.

    The decision is kept with its figures: as a tag of the challenger's version, then as a line of
    reports/decisions.jsonl. Lines that an earlier run could not write any more are written first.

    Args:
        root: the project, up to date.
        runs: each variant's MLflow run id.
        dry_run: nothing changes in the registry; the line says so.

    A file that was champion and rolled back by hand stays out until it is promoted by hand.

    Raises InputError where a file or the gate's variant is missing.
    """
    name = load(Params, root / "params.yaml").profile
    profile = load(Profile, root / "profiles" / f"{name}.yaml")
    variant, precision = profile.gate.variant, profile.gate.precision
    if variant not in runs:
        raise InputError(f"params.yaml: variants: {variant} is missing, which gate.variant of {name} promotes")
    tflite = root / "models" / variant / f"{precision}.tflite"
    registry = Registry(root, name)
    restore(registry, root / DECISIONS)
    champion = registry.champion()
    with tempfile.TemporaryDirectory() as folder:
        file, unreadable = _fetched(registry, champion, Path(folder))
        judgement = gate.judge(
            profile=profile,
            root=root,
            challenger=tflite,
            champion=file,
            unreadable=unreadable,
            parity=root / "reports" / "parity" / f"{variant}.json",
            checks=root / "data" / "annotations" / "checks.json",
        )
    challenger = None if dry_run else registry.register(runs[variant], tflite)
    sha256 = hashlib.sha256(tflite.read_bytes()).hexdigest()
    stays_out = rolled_back(decision_log.read(root / DECISIONS), sha256)
    promote = judgement.promote and not stays_out
    decision = Decision(
        time=now(),
        profile=name,
        action="promote" if promote else "keep",
        by="retrain",
        dry_run=dry_run,
        challenger=facts(challenger or Version("", runs[variant], sha256, variant, precision, {})),
        champion=facts(champion) if champion else None,
        checks=[asdict(check) for check in judgement.checks],
        reason=" ".join([*stays_out, judgement.reason]),
    )
    if challenger:
        keep(registry, challenger, decision, root / DECISIONS)
    else:
        decision_log.append(root / DECISIONS, decision)
    return decision


def _fetched(registry: Registry, champion: Version | None, folder: Path) -> tuple[Path | None, str | None]:
    """The champion's file, or why it cannot be had; neither where there is no champion."""
    if champion is None:
        return None, None
    try:
        return registry.fetch(champion, folder), None
    except ExternalServiceError:  # it may be there; another run will see
        raise
    except InputError as error:
        return None, str(error)


def rolled_back(known: Sequence[Decision], sha256: str) -> list[str]:
    """A line that tells so, if the last word on a champion's file was that it should be champion no more."""
    for decision in reversed(known):
        if decision.action == "promote" and not decision.dry_run and _is(decision.challenger, sha256):
            return []
        if decision.action == "rollback" and _is(decision.champion, sha256):
            return [f"it was rolled back by hand ({decision.reason}), and waits for `splitpose promote`;"]
    return []


def _is(model: Mapping[str, Any] | None, sha256: str) -> bool:
    return model is not None and model.get("sha256") == sha256
