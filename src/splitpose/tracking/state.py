"""States of the pipeline: the DVC entries of a variant's stages, and one hash of everything that they depend on.

The hash identifies the variant's run in MLflow. It is the same before the stages run, computed from the workspace,
and afterwards, computed from dvc.lock. It leaves out files that these stages pass to each other: they follow from
the other inputs, and they do not exist yet when training starts.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from splitpose import paths
from splitpose.errors import InputError
from splitpose.settings import Params, load

TRAINING_STAGES = ("train_frozen", "fine_tune")
"""The stages that run once per variant and repeat, in order; their names end with @<variant>-<repeat>."""

STAGES = ("select", "evaluate", "convert", "benchmark")
"""The stages that run once per variant, in order; their names end with @<variant>."""

Entries = dict[str, Any]
"""Entries of dvc.lock: {stage: {"cmd", "deps": [{"path", "md5"}], "params": {file: {key: value}}, "outs"}}."""


def training_stage_names(variant: str, repeat: int) -> list[str]:
    """Return the names of the training stages of a repeat, in order."""
    return [f"{stage}@{variant}-{repeat}" for stage in TRAINING_STAGES]


def stage_names(variant: str, repeats: Iterable[int]) -> list[str]:
    """Return the names of all stages of a variant with these repeats, in order."""
    training = [name for repeat in repeats for name in training_stage_names(variant, repeat)]
    return [*training, *(f"{stage}@{variant}" for stage in STAGES)]


def repeats(entries: Entries, variant: str) -> list[int]:
    """Return the numbers of the repeats from which the entries' model was selected.

    dvc.lock may also have entries of repeats that are no longer listed in params.yaml.
    """
    numbers: list[int] = entries[f"{STAGES[0]}@{variant}"]["params"][str(paths.PARAMS)]["repeats"]
    return numbers


def workspace_entries(root: Path, variant: str) -> Entries:
    """Return the entries that dvc.lock will contain after the variant's stages have run on the present workspace.

    Nothing is locked or written, because DVC may be running one of these stages. It takes about a second, because
    the code and the crops are hashed (DVC caches the hashes of unchanged files).
    """
    from dvc.repo import Repo
    from dvc.stage.utils import split_params_deps

    dvc_yaml = str(root / "dvc.yaml")
    names = stage_names(variant, load(Params, root / paths.PARAMS).repeats)
    with Repo(str(root)) as repo:
        stages = {name: repo.stage.load_one(dvc_yaml, name) for name in names}
        outputs = [out.def_path for stage in stages.values() for out in stage.outs]
        entries: Entries = {}
        for name, stage in stages.items():
            params, deps = split_params_deps(stage)
            deps = [dep for dep in deps if not _is_passed_on(dep.def_path, outputs)]
            for dep in [*params, *deps]:
                dep.save()  # hashes the dependency; nothing is written
            entries[name] = {
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
    """Return whether the entries contain all stages of a variant and are consistent.

    No file has two hashes, and the hash of a folder that a stage depends on is that of the outputs in it.
    """
    if f"{STAGES[0]}@{variant}" not in entries:
        return False
    if not all(name in entries for name in stage_names(variant, repeats(entries, variant))):
        return False
    selected = with_upstream(entries, variant).values()
    outs = {out["path"]: out["md5"] for entry in selected for out in entry.get("outs", [])}
    hashes: dict[str, str] = {}
    for entry in selected:
        for file in [*entry.get("deps", []), *entry.get("outs", [])]:
            if hashes.setdefault(file["path"], file["md5"]) != file["md5"]:
                return False
    return all(hashes[folder] == folder_hash(files) for folder in hashes if (files := _files_in(folder, outs)))


def _files_in(folder: str, outs: Mapping[str, str]) -> dict[str, str]:
    """Return the hash of every output in a folder by its path in the folder."""
    return {
        Path(out).relative_to(folder).as_posix(): md5
        for out, md5 in outs.items()
        if Path(folder) in Path(out).parents
    }


def folder_hash(files: Mapping[str, str]) -> str:
    """Return DVC's hash of a folder.

    Args:
        files: the MD5 of each file by its path in the folder.
    """
    entries = [{"md5": md5, "relpath": path} for path, md5 in sorted(files.items())]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"


def _is_passed_on(path: str, outputs: Iterable[str]) -> bool:
    """Return whether a dependency is one of the outputs, or a folder that contains some of them."""
    return any(Path(path) in (Path(out), *Path(out).parents) for out in outputs)


def with_upstream(entries: Entries, variant: str) -> Entries:
    """Return the entries of a variant's stages and of all stages upstream of them."""
    selected = {name: entries[name] for name in stage_names(variant, repeats(entries, variant))}
    # The selected stages come last: dvc.lock may have entries of former stages, whose outputs they now write.
    writers = [*entries.items(), *selected.items()]
    producers = {out["path"]: name for name, entry in writers for out in entry.get("outs", [])}
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
    stages = {name: entries[name] for name in stage_names(variant, repeats(entries, variant))}
    outputs = [out["path"] for entry in stages.values() for out in entry["outs"]]
    content = {
        name: {
            "cmd": entry["cmd"],
            "deps": {dep["path"]: dep["md5"] for dep in entry["deps"] if not _is_passed_on(dep["path"], outputs)},
            "params": entry.get("params", {}),
        }
        for name, entry in stages.items()
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def profile(entries: Entries, variant: str) -> str:
    """Return the name of the profile that a variant was built with."""
    first, *_ = stage_names(variant, repeats(entries, variant))
    files = [Path(file) for file in entries[first]["params"]]
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
