"""States of the pipeline: the DVC entries of a variant's stages, and one hash of everything that they depend on.

The hash identifies the variant's run in MLflow. It is the same before the stages run, computed from the workspace,
and afterwards, computed from dvc.lock. It leaves out files that these stages pass to each other: they follow from
the other inputs, and they do not exist yet when training starts.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from splitpose import paths
from splitpose.errors import InputError

STAGES = ("train_frozen", "fine_tune", "evaluate", "convert", "benchmark")
"""The stages that run once per variant, in order."""

Entries = dict[str, Any]
"""Entries of dvc.lock: {stage: {"cmd", "deps": [{"path", "md5"}], "params": {file: {key: value}}, "outs"}}."""


def workspace_entries(root: Path, variant: str) -> Entries:
    """Return the entries that dvc.lock will contain after the variant's stages have run on the present workspace.

    Nothing is locked or written, because DVC may be running one of these stages. It takes about a second, because
    the code and the crops are hashed (DVC caches the hashes of unchanged files).
    """
    from dvc.repo import Repo
    from dvc.stage.utils import split_params_deps

    dvc_yaml = str(root / "dvc.yaml")
    with Repo(str(root)) as repo:
        stages = {name: repo.stage.load_one(dvc_yaml, f"{name}@{variant}") for name in STAGES}
        outputs = {out.def_path for stage in stages.values() for out in stage.outs}
        entries: Entries = {}
        for name, stage in stages.items():
            params, deps = split_params_deps(stage)
            deps = [dep for dep in deps if dep.def_path not in outputs]
            for dep in [*params, *deps]:
                dep.save()  # hashes the dependency; nothing is written
            entries[f"{name}@{variant}"] = {
                "cmd": stage.cmd,
                "deps": [{"path": dep.def_path, "md5": dep.hash_info.value} for dep in deps],
                "params": {dep.def_path: dep.hash_info.value for dep in params},
                "outs": [{"path": out.def_path} for out in stage.outs],
            }
    return entries


def lock_entries(root: Path) -> Entries:
    """Return the entries of all stages in dvc.lock. Raises InputError if there is no dvc.lock."""
    from dvc.utils.serialize import load_yaml

    path = root / "dvc.lock"
    if not path.is_file():
        raise InputError(f"{path}: no such file; run the pipeline first")
    entries: Entries = load_yaml(str(path))["stages"]
    return entries


def is_finished(entries: Entries, variant: str) -> bool:
    """Return whether the entries contain all stages of a variant and are consistent: no file has two hashes."""
    if not all(f"{name}@{variant}" in entries for name in STAGES):
        return False
    hashes: dict[str, str] = {}
    for entry in with_upstream(entries, variant).values():
        for file in [*entry.get("deps", []), *entry.get("outs", [])]:
            if hashes.setdefault(file["path"], file["md5"]) != file["md5"]:
                return False
    return True


def with_upstream(entries: Entries, variant: str) -> Entries:
    """Return the entries of a variant's stages and of all stages upstream of them."""
    producers = {out["path"]: name for name, entry in entries.items() for out in entry.get("outs", [])}
    selected = {f"{name}@{variant}": entries[f"{name}@{variant}"] for name in STAGES}
    pending = list(selected.values())
    while pending:
        deps = [Path(dep["path"]) for dep in pending.pop().get("deps", [])]
        upstream = {producers[str(path)] for dep in deps for path in (dep, *dep.parents) if str(path) in producers}
        for name in sorted(upstream - set(selected)):
            selected[name] = entries[name]
            pending.append(entries[name])
    return selected


def digest(entries: Entries, variant: str) -> str:
    """Return the state: SHA-256 of the commands, parameters and input hashes of the variant's stages."""
    stages = {name: entries[f"{name}@{variant}"] for name in STAGES}
    outputs = {out["path"] for entry in stages.values() for out in entry["outs"]}
    content = {
        name: {
            "cmd": entry["cmd"],
            "deps": {dep["path"]: dep["md5"] for dep in entry["deps"] if dep["path"] not in outputs},
            "params": entry.get("params", {}),
        }
        for name, entry in stages.items()
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def profile(entries: Entries, variant: str) -> str:
    """Return the name of the profile that a variant was built with."""
    files = [Path(file) for file in entries[f"{STAGES[0]}@{variant}"]["params"]]
    return next(file.stem for file in files if file.parent == paths.PROFILES)


def parameters(entries: Entries, variant: str) -> dict[str, Any]:
    """Return all parameters with dotted keys ("training.fine_tune.learning_rate") and the variant's overrides."""
    values: dict[str, Any] = {}
    for entry in entries.values():
        for parameters_of_file in entry.get("params", {}).values():
            values |= parameters_of_file
    override = values.pop(f"variants.{variant}", None) or {}
    return _flatten(values) | _flatten({"training": override})


def _flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested mapping as one with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
