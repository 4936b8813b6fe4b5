"""Complete the runs in MLflow from the files of the workspace.

A stage that DVC takes from its cache runs no code, so all that a run shall hold is read from files. Doing it
again changes nothing, and runs of a deleted database come back.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from splitpose.errors import InputError
from splitpose.files import read_json
from splitpose.settings import PRECISIONS, Params, load
from splitpose.tracking import provenance, state
from splitpose.tracking.runs import answering, open_run
from splitpose.tracking.state import Entries

SHARED = ("dvc.lock", "params.yaml", "reports/comparison.json", "reports/figures/*")
"""Files of all variants together that each run keeps as they were with it."""

FIGURES = {"metrics": "evaluate", "decodings": "evaluate", "parity": "convert", "benchmark": "benchmark"}
"""Folders below reports/ with one JSON a variant, and the stage that writes it."""


def sync_runs(root: Path) -> dict[str, str]:
    """Complete the run of every variant in params.yaml, from dvc.lock and the files that it names.

    Returns each variant's run id. Raises InputError where a file is missing or not the one in dvc.lock, and,
    after all other variants are done, where stages of a variant have not run yet; OutsideError where MLflow fails.
    """
    entries = state.of_lock(root)
    variants = list(load(Params, root / "params.yaml").variants)
    finished = [variant for variant in variants if state.finished(entries, variant)]
    with answering():
        runs = {variant: _record(root, state.lineage(entries, variant), variant) for variant in finished}
    if len(runs) < len(variants):
        missing = ", ".join(variant for variant in variants if variant not in runs)
        raise InputError(f"{root / 'dvc.lock'}: not all stages have run for {missing}; run `dvc repro`")
    return runs


def _record(root: Path, entries: Entries, variant: str) -> str:
    profile = state.profile(entries, variant)
    files = _made(root, entries, variant)
    scores, readings, parity, times = (
        read_json(_below(root, folder, files), f"`dvc repro {stage}@{variant}`")
        for folder, stage in FIGURES.items()
    )
    digest = state.digest(entries, variant)
    run = open_run(root, profile, variant, digest)
    run.set_origin(provenance.TRAINED if provenance.here(root, digest) else provenance.RESTORED)
    run.log_parameters(state.parameters(entries, variant))
    run.log_rows(pd.read_csv(_below(root, "history", files)).to_dict("records"))
    run.log_metrics(_scores(scores) | _by_reading(readings) | _by_precision(parity) | _by_precision(times))
    run.set_tags(_data(entries) | {f"device.{fact}": str(value) for fact, value in times["device"].items()})
    if state.parameters(entries, variant).get("source.kind") == "sample":
        run.set_tags({"stand-in": "rendered people"})
    shared = [path for pattern in SHARED for path in sorted(root.glob(pattern))]
    own = [path for path in files if path.suffix != ".h5"]
    run.log_files(root, [*own, *shared, root / "profiles" / f"{profile}.yaml"])
    run.set_status("FINISHED")
    return run.id


def _made(root: Path, entries: Entries, variant: str) -> list[Path]:
    """The files that the variant's stages made. Raises InputError where one is not what dvc.lock says."""
    outs = [out for stage in state.STAGES for out in entries[f"{stage}@{variant}"]["outs"]]
    for out in outs:
        path = root / out["path"]
        if not path.is_file() or hashlib.md5(path.read_bytes()).hexdigest() != out["md5"]:
            raise InputError(f"{path}: not the file that dvc.lock knows; run `dvc checkout` or `dvc repro`")
    return [root / out["path"] for out in outs]


def _below(root: Path, folder: str, made: list[Path]) -> Path:
    """The one of the files that lies below reports/<folder>/. Raises InputError where there is none."""
    found = [path for path in made if path.is_relative_to(root / "reports" / folder)]
    if len(found) != 1:
        raise InputError(
            f"{root / 'dvc.lock'}: {len(found)} files of a variant in reports/{folder}; run `dvc repro`"
        )
    return found[0]


def _scores(scores: Mapping[str, Any]) -> dict[str, float]:
    """Metrics of a file of `evaluate`; losses are those of the look whose weights were kept."""
    values: dict[str, float] = {
        "test_people": scores["n"],
        "parameters": scores["parameters"],
        "macs": scores["macs"],
        "best_iteration": scores["best_iteration"],
        "best_train_loss": scores["train_loss"],
        "best_val_loss": scores["val_loss"],
    }
    for threshold, groups in scores["pck"].items():
        values |= _with_intervals(f"pck_{threshold}", groups, scores["ci95"][threshold])
    for limit, groups in scores["auc"].items():
        areas = {group: percent for group, percent in groups.items() if group != "ci95"}
        values |= _with_intervals(f"auc_{limit}", areas, groups["ci95"])
    return values


def _with_intervals(name: str, groups: Mapping[str, Any], intervals: Mapping[str, Any]) -> dict[str, float]:
    """{"pck_0.2_mean": 90.0, "pck_0.2_mean_ci95_low": 89.1, ...}, without groups that nobody has annotated."""
    values: dict[str, float] = {}
    for group, percent in groups.items():
        if percent is not None:
            values[f"{name}_{group}"] = percent
            values[f"{name}_{group}_ci95_low"], values[f"{name}_{group}_ci95_high"] = intervals[group]
    return values


def _by_reading(readings: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """PCK of every way to read the outputs as {"pck_0.2_mean_argmax_flip_test": 91.0, ...}."""
    return {
        f"pck_{threshold}_mean_{one['name'].replace(' + ', '_').replace(' ', '_')}": groups["mean"]
        for one in readings
        for threshold, groups in one["pck"].items()
    }


def _by_precision(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Numbers of a file of `convert` or `benchmark` as {"p50_ms_int8": 0.24, ...}; yes and no as 1 and 0."""
    return {
        f"{key}_{precision}": float(value)
        for precision, values in figures.items()
        for key, value in values.items()
        if precision in PRECISIONS and isinstance(value, (int, float))
    }


def _data(entries: Entries) -> dict[str, str]:
    """DVC's hashes of the data that the variant was made with."""
    outs = [out for entry in entries.values() for out in entry.get("outs", [])]
    return {out["path"].replace("/", "."): out["md5"] for out in outs if out["path"].startswith("data/")}
