"""Synchronisation of the MLflow runs with the files of the workspace.

A stage whose results DVC restores from its cache runs no code, so a run's metrics, parameters and artifacts are
read from files. Synchronising again changes nothing; after the database was deleted, it restores the runs.
"""

import csv
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from splitpose import paths
from splitpose.errors import InputError
from splitpose.files import read_json
from splitpose.settings import Params, load
from splitpose.tracking import presentation, provenance, state
from splitpose.tracking.former_metrics import rename_former_metrics
from splitpose.tracking.headline import headline_metrics
from splitpose.tracking.relocation import relocate
from splitpose.tracking.runs import (
    HISTORY_METRICS,
    connect,
    experiment_name,
    metric_prefix,
    open_run,
    translated_errors,
)
from splitpose.tracking.state import Entries

SHARED_ARTIFACTS = ("dvc.lock", str(paths.PARAMS), str(paths.COMPARISON), f"{paths.FIGURES}/*")
"""Glob patterns of files of all variants, which every run stores too."""

SELECTED_REPEAT = "splitpose.repeat"
"""Tag: number of the repeat whose model was evaluated and exported."""

INITIAL_WEIGHTS = "splitpose.initial_weights"
"""Tag: what training started from, e.g. "champion, version 3", a path or "none"."""

DATASETS = {str(paths.CROPS): "training", str(paths.ANNOTATIONS): "evaluation"}
"""The data that are logged as inputs of a run, and their use."""

SYNTHETIC = {"data": "synthetic"}
"""Tags of a run whose model was trained and scored on rendered people."""


def sync_runs(root: Path, variants: Sequence[str] | None = None) -> dict[str, str]:
    """Complete the MLflow runs of some variants, from dvc.lock and the files that it names.

    Args:
        root: the project.
        variants: the variants, by default all in params.yaml.

    Returns:
        The run id of each variant.

    Raises:
        InputError: a file is missing or differs from dvc.lock, or, after the other variants have been completed,
            not all stages of a variant have run.
        ExternalServiceError: MLflow fails.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        relocate(root)  # first, so that MLflow's own commands find the artifacts although a stage has to run
        rename_former_metrics(root)
    entries = state.lock_entries(root)
    is_complete = variants is None
    variants = list(load(Params, root / paths.PARAMS).variants) if variants is None else variants
    finished = [variant for variant in variants if state.is_finished(entries, variant)]
    with translated_errors():
        runs = {variant: _sync_run(root, state.with_upstream(entries, variant), variant) for variant in finished}
        for profile in {state.profile(entries, variant) for variant in finished}:
            client, name = connect(root), experiment_name(profile)
            presentation.update(client, name)
            if is_complete:
                presentation.save_comparison(client, name, list(runs.values()))
            _mark_champions(root, profile)
    if len(runs) < len(variants):
        missing = ", ".join(variant for variant in variants if variant not in runs)
        raise InputError(f"{root / 'dvc.lock'}: not all stages have run for {missing}; run the pipeline again")
    return runs


def _mark_champions(root: Path, profile: str) -> None:
    from splitpose.tracking.model_registry import ModelRegistry  # imports pandas, which takes a second

    ModelRegistry(root, profile).mark_champions()


def _sync_run(root: Path, entries: Entries, variant: str) -> str:
    """Complete the run of one variant, and return its id."""
    outputs = _outputs(root, entries, variant)
    evaluate, convert, benchmark = (
        f"the stage {stage}@{variant}" for stage in ("evaluate", "convert", "benchmark")
    )
    selection = read_json(_select(root, outputs, paths.repeat_selection(variant)), f"the stage select@{variant}")
    metrics = read_json(_select(root, outputs, paths.metrics(variant)), evaluate)
    parity = read_json(_select(root, outputs, paths.parity(variant)), convert)
    latency = read_json(_select(root, outputs, paths.benchmark(variant)), benchmark)
    repeats = state.repeats(entries, variant)
    history_paths = {
        metric_prefix(repeats, repeat): paths.repeat_history(variant, repeat) for repeat in repeats
    } | {"": paths.history(variant)}
    histories = {prefix: _read_rows(_select(root, outputs, path)) for prefix, path in history_paths.items()}
    parameters = state.parameters(entries, variant)
    profile, digest = state.profile(entries, variant), state.digest(entries, variant)

    run = open_run(root, profile, variant, digest)
    run.set_origin(provenance.TRAINED if provenance.was_trained(root, digest) else provenance.RESTORED)
    run.log_params(parameters)
    for prefix, history in histories.items():
        run.log_history(history, prefix)
    headline = headline_metrics(metrics, selection, parity, latency)
    run.log_metrics(headline)
    hashes = _data_hashes(entries)
    run.log_datasets(
        {"name": path, "digest": hashes[path], "context": use} for path, use in DATASETS.items() if path in hashes
    )
    run.set_tags({path.replace("/", "."): md5 for path, md5 in hashes.items()})
    run.set_tags({f"device.{fact}": str(value) for fact, value in latency["device"].items()})
    run.set_tags({SELECTED_REPEAT: str(selection["selected"])} | _initial_weights(root, variant))
    is_synthetic = parameters.get("source.kind") == "sample"
    if is_synthetic:
        run.set_tags(SYNTHETIC)
    run.describe(_describe(variant, profile, is_synthetic, headline))
    shared = [file for pattern in SHARED_ARTIFACTS for file in sorted(root.glob(pattern))]
    own = [file for file in outputs if file.suffix != ".h5"]
    run.log_artifacts(root, [*own, *shared, root / paths.profile(profile)])
    run.set_status("FINISHED")
    return run.id


def _outputs(root: Path, entries: Entries, variant: str) -> list[Path]:
    """Return the files that the variant's stages write. Raises InputError if an output differs from dvc.lock."""
    names = state.stage_names(variant, state.repeats(entries, variant))
    files: list[Path] = []
    for out in (out for name in names for out in entries[name]["outs"]):
        path = root / out["path"]
        if _hash(path) != out["md5"]:
            raise InputError(f"{path}: differs from dvc.lock; restore it or run the pipeline again")
        files += _files(path)
    return files


def _files(path: Path) -> list[Path]:
    """Return all files in a folder, or a file itself."""
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _hash(path: Path) -> str | None:
    """Return DVC's hash of a file or a folder, None if there is none."""
    if path.is_dir():
        files = {file.relative_to(path).as_posix(): _md5(file) for file in _files(path)}
        return state.folder_hash(files)
    return _md5(path) if path.is_file() else None


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def _select(root: Path, outputs: list[Path], path: Path) -> Path:
    """Return the output with this path. Raises InputError if it is not one of the outputs."""
    if root / path not in outputs:
        raise InputError(f"{root / 'dvc.lock'}: {path} is not an output of any stage; run the pipeline again")
    return root / path


def _read_rows(path: Path) -> list[dict[str, float]]:
    """Return the rows of a training history, the iteration as an integer, without the name of the phase."""
    with path.open(newline="") as file:
        rows = [
            {key: float(row[key]) for key in HISTORY_METRICS} | {"iteration": int(row["iteration"])}
            for row in csv.DictReader(file)
        ]
    return rows


def _initial_weights(root: Path, variant: str) -> dict[str, str]:
    """Return the tag of what training started from, none if the pipeline has no such record."""
    path = root / paths.initial_weights_record(variant)
    if not path.is_file():
        return {}
    origin = read_json(path, f"the stage initial_weights@{variant}")["initial_weights"]
    version = f", version {origin['version']}" if origin["version"] else ""
    return {INITIAL_WEIGHTS: f"{origin['source'] or 'none'}{version}"}


def _data_hashes(entries: Entries) -> dict[str, str]:
    """Return DVC's hashes of the data that the variant was built from by path."""
    outs = [out for entry in entries.values() for out in entry.get("outs", [])]
    return {out["path"]: out["md5"] for out in outs if out["path"].startswith(f"{paths.DATA}/")}


def _describe(variant: str, profile: str, is_synthetic: bool, metrics: Mapping[str, float]) -> str:
    """Return the description of a run with these headline metrics."""
    data = "rendered synthetic people; the scores do not transfer to photographs" if is_synthetic else profile
    return (
        f"Variant {variant} of the profile {profile}, trained and tested on {data}. "
        f"PCK@0.2 on {metrics['data/test_instances']:.0f} test instances: {metrics['test/pck_0.2_mean']:.1f} %. "
        f"All results are in the artifacts: scores in reports/metrics/{variant}.json, latencies in "
        f"reports/benchmark/{variant}.json, TFLite files in models/{variant}/."
    )
