"""What a variant was made from: the DVC entries of its stages, and one hash over them.

The hash names the variant's run in MLflow. It comes out the same before the stages run, from the workspace,
and afterwards, from dvc.lock. Files that they hand to each other are left out: they follow from the rest, and
are not there yet when training begins.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from splitpose.errors import InputError

STAGES = ("train_frozen", "fine_tune", "evaluate", "convert", "benchmark")
"""The stages that run once a variant, in order."""

Entries = dict[str, Any]
"""As in dvc.lock: {stage: {"cmd", "deps": [{"path", "md5"}], "params": {file: {key: value}}, "outs"}}."""


def of_workspace(root: Path, variant: str) -> Entries:
    """What dvc.lock will say of the variant's stages once they have run on the workspace as it is.

    DVC may be running one of these stages: nothing is locked or written. Takes about a second, for the code
    and the crops are hashed (DVC remembers what it hashed before).
    """
    from dvc.repo import Repo
    from dvc.stage.utils import split_params_deps

    dvc_yaml = str(root / "dvc.yaml")
    with Repo(str(root)) as repo:
        stages = {name: repo.stage.load_one(dvc_yaml, f"{name}@{variant}") for name in STAGES}
        made = {out.def_path for stage in stages.values() for out in stage.outs}
        entries: Entries = {}
        for name, stage in stages.items():
            params, deps = split_params_deps(stage)
            deps = [dep for dep in deps if dep.def_path not in made]
            for dep in [*params, *deps]:
                dep.save()  # reads and hashes; writes nothing
            entries[f"{name}@{variant}"] = {
                "cmd": stage.cmd,
                "deps": [{"path": dep.def_path, "md5": dep.hash_info.value} for dep in deps],
                "params": {dep.def_path: dep.hash_info.value for dep in params},
                "outs": [{"path": out.def_path} for out in stage.outs],
            }
    return entries


def of_lock(root: Path) -> Entries:
    """All stages in dvc.lock. Raises InputError where there is none."""
    from dvc.utils.serialize import load_yaml

    path = root / "dvc.lock"
    if not path.is_file():
        raise InputError(f"{path}: no such file; `dvc repro` writes it")
    entries: Entries = load_yaml(str(path))["stages"]
    return entries


def finished(entries: Entries, variant: str) -> bool:
    """Whether dvc.lock has all stages of a variant and they fit together: no file has two hashes."""
    if not all(f"{name}@{variant}" in entries for name in STAGES):
        return False
    hashes: dict[str, str] = {}
    for entry in lineage(entries, variant).values():
        for file in [*entry.get("deps", []), *entry.get("outs", [])]:
            if hashes.setdefault(file["path"], file["md5"]) != file["md5"]:
                return False
    return True


def lineage(entries: Entries, variant: str) -> Entries:
    """The entries of a variant's stages and of all stages before them."""
    maker = {out["path"]: name for name, entry in entries.items() for out in entry.get("outs", [])}
    found = {f"{name}@{variant}": entries[f"{name}@{variant}"] for name in STAGES}
    waiting = list(found.values())
    while waiting:
        deps = [Path(dep["path"]) for dep in waiting.pop().get("deps", [])]
        before = {maker[str(path)] for dep in deps for path in (dep, *dep.parents) if str(path) in maker}
        for name in sorted(before - set(found)):
            found[name] = entries[name]
            waiting.append(entries[name])
    return found


def digest(entries: Entries, variant: str) -> str:
    """The state: SHA-256 over the commands, parameters and hashes of what goes into the variant's stages."""
    own = {name: entries[f"{name}@{variant}"] for name in STAGES}
    made = {out["path"] for entry in own.values() for out in entry["outs"]}
    content = {
        name: {
            "cmd": entry["cmd"],
            "deps": {dep["path"]: dep["md5"] for dep in entry["deps"] if dep["path"] not in made},
            "params": entry.get("params", {}),
        }
        for name, entry in own.items()
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def profile(entries: Entries, variant: str) -> str:
    """Name of the profile that a variant was made with."""
    files = entries[f"{STAGES[0]}@{variant}"]["params"]
    return next(Path(file).stem for file in files if Path(file).parent.name == "profiles")


def parameters(entries: Entries, variant: str) -> dict[str, Any]:
    """All parameters, flat ("training.fine_tune.learning_rate"), with the variant's own numbers put in."""
    values: dict[str, Any] = {}
    for entry in entries.values():
        for of_file in entry.get("params", {}).values():
            values |= of_file
    override = values.pop(f"variants.{variant}", None) or {}
    return _flat(values) | _flat({"training": override})


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
