"""Where a report's figures come from: git's commit, DVC's hashes, MLflow's runs."""

import os
import subprocess
from pathlib import Path

from splitpose.errors import InputError
from splitpose.tracking import state
from splitpose.tracking.runs import find_run, reason


def lineage(root: Path, variants: list[str]) -> dict[str, dict[str, str]]:
    """Facts on what all variants share, under "all variants", and on each variant, from dvc.lock.

    A project without git, a stage that DVC did not run or an MLflow that does not answer are told as such.
    """
    facts = {"all variants": {"git commit": commit(root)}}
    try:
        entries = state.of_lock(root)
    except InputError as error:
        facts["all variants"]["dvc.lock"] = str(error)
        return facts
    for variant in variants:
        if not state.finished(entries, variant):
            facts[variant] = {"dvc.lock": "not all stages of this variant were run by DVC"}
            continue
        of_variant = state.lineage(entries, variant)
        facts["all variants"] |= _hashes(of_variant, "data/")
        digest = state.digest(entries, variant)
        facts[variant] = (
            {"MLflow run": _run(root, digest), "state (MLflow's tag splitpose.state)": digest}
            | _hashes(of_variant, f"models/{variant}/")
            | _hashes(of_variant, f"reports/predictions/{variant}")
        )
    return facts


def commit(root: Path) -> str:
    """The commit that the project is at, and whether files that git tracks differ from it; "no git" without."""
    head = _git(root, "rev-parse", "HEAD")
    if head is None:
        return "no git"
    # dvc.lock is being written while a report is made.
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock")
    return f"{head} with changes that are not committed" if changed else head


def _git(root: Path, *words: str) -> str | None:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _hashes(entries: state.Entries, below: str) -> dict[str, str]:
    """DVC's hash of each output whose path begins so."""
    outs = [out for entry in entries.values() for out in entry.get("outs", [])]
    return {out["path"]: out["md5"] for out in outs if out["path"].startswith(below)}


def _run(root: Path, digest: str) -> str:
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")  # seconds: a report waits for no server
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    try:
        # An experiment in a temporary folder keeps DVC_ROOT, where MLflow's database is.
        return find_run(Path(os.environ.get("DVC_ROOT", root)), digest) or "none yet"
    except Exception as error:
        return f"not asked: {reason(error)}"
