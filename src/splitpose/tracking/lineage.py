"""Lineage of a report: the git commit, DVC's hashes and the MLflow runs behind its results."""

import os
from pathlib import Path

from splitpose import paths
from splitpose.errors import InputError
from splitpose.tracking import state
from splitpose.tracking.git import git
from splitpose.tracking.runs import describe_error, find_run, shorten_timeouts

WRITTEN_BY_DVC = ("dvc.lock", str(paths.INCOMING_VERSION), str(paths.BENCHMARKS))
"""Files and folders that git tracks and that the pipeline writes; workers receive what they need by DVC."""


def lineage(root: Path, variants: list[str]) -> dict[str, dict[str, str]]:
    """Return facts about the origin of every variant's results, read from git, dvc.lock and MLflow.

    Facts that all variants share have the key "all variants". Whatever is not available is reported as a fact
    too: a project without git, a stage that DVC has not run, an MLflow server that does not respond.
    """
    facts = {"all variants": {"git commit": commit(root)}}
    try:
        entries = state.lock_entries(root)
    except InputError as error:
        facts["all variants"]["dvc.lock"] = str(error)
        return facts
    for variant in variants:
        if not state.is_finished(entries, variant):
            facts[variant] = {"dvc.lock": "not all stages of this variant were run by DVC"}
            continue
        upstream = state.with_upstream(entries, variant)
        facts["all variants"] |= _output_hashes(upstream, "data/")
        digest = state.digest(entries, variant)
        facts[variant] = (
            {"MLflow run": _run_id(root, digest), "state (MLflow's tag splitpose.state)": digest}
            | _output_hashes(upstream, f"models/{variant}/")
            | _output_hashes(upstream, f"reports/predictions/{variant}")
        )
    return facts


def commit(root: Path) -> str:
    """Return the project's git commit and whether tracked files differ from it; "no git" without a repository.

    Files that DVC writes (WRITTEN_BY_DVC) may differ.
    """
    head = git(root, "rev-parse", "HEAD")
    if head is None:
        return "no git"
    ignored = [f":!{path}" for path in WRITTEN_BY_DVC]
    changed = git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *ignored)
    return f"{head} with uncommitted changes" if changed else head


def _output_hashes(entries: state.Entries, prefix: str) -> dict[str, str]:
    """Return DVC's hash of every output whose path starts with `prefix`."""
    outs = [out for entry in entries.values() for out in entry.get("outs", [])]
    return {out["path"]: out["md5"] for out in outs if out["path"].startswith(prefix)}


def _run_id(root: Path, digest: str) -> str:
    """Return the id of the MLflow run of a state, or the reason why there is none."""
    shorten_timeouts()
    try:
        # An experiment in a temporary folder sets DVC_ROOT to the project, which contains MLflow's database.
        return find_run(Path(os.environ.get("DVC_ROOT", root)), digest) or "none yet"
    except Exception as error:
        return f"not available: {describe_error(error)}"
