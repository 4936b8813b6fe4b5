"""The complete pipeline on a tiny profile, run by DVC in copies of the repository."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.tiny_project import dvc, hashes, repro, set_repeats, stages_run, tiny_profile, workspace

from splitpose.inference.metadata import require_metadata
from splitpose.tracking.model_registry import ModelRegistry

MODELS = "models/baseline"


def outdated_stages(folder: Path) -> set[str]:
    """Return the stages that have to run, without those that run every time."""
    status = json.loads(dvc(folder, "status", "--json").stdout)
    return {name for name, reasons in status.items() if reasons != ["always changed"]}


@pytest.fixture(scope="module")
def built(repository, tmp_path_factory) -> Path:
    folder = workspace(repository, tmp_path_factory.mktemp("built"), ["baseline", "final"])
    repro(folder)
    return folder


def test_all_outputs_exist(built):
    comparison = json.loads((built / "reports" / "comparison.json").read_text())
    assert comparison["profile"] == "sample_tiny"
    assert list(comparison["variants"]) == ["baseline", "final"]
    for name, variant in comparison["variants"].items():
        assert set(variant["pck"]) == {"0.05", "0.1", "0.2"}
        assert {"mean", "elbow", "wrist", "lsho", "nose", "ci95"} <= set(variant["pck"]["0.2"])
        for precision, results in variant["tflite"].items():
            assert results["bytes"] == (built / "models" / name / f"{precision}.tflite").stat().st_size
            assert results["p50_ms"] > 0
            detection = json.loads((built / "reports" / "person_detection" / f"{name}.json").read_text())
            threshold = detection["files"][precision]["threshold"]
            assert require_metadata(built / "models" / name / f"{precision}.tflite").person_threshold == threshold
            assert (threshold is None) == (name == "baseline")
    page = (built / "reports" / "index.html").read_text()
    assert "synthetic people" in page
    assert (built / "reports" / "data_docs" / "index.html").is_file()


def test_validation_films_are_not_trained_on(built):
    from splitpose import annotations

    table = annotations.read(built / "data" / "annotations" / "annotations.parquet")
    films = table.groupby("split")["group"].unique().map(set)
    assert films["train"] and films["val"] and films["test"]
    assert not films["train"] & films["val"]
    assert not films["train"] & films["test"]


def test_a_second_repro_only_takes_fingerprints_and_renders(built):
    before = (built / "dvc.lock").read_bytes()
    assert stages_run(repro(built)) == ["fingerprint", "report"]
    assert (built / "dvc.lock").read_bytes() == before


def test_bytecode_files_rerun_nothing(built):
    packages = [path for path in (built / "src" / "splitpose").iterdir() if path.is_dir()]
    for package in packages:
        (package / "__pycache__").mkdir(exist_ok=True)
        (package / "__pycache__" / "new.pyc").write_bytes(b"x")
    assert len(packages) > 5
    assert outdated_stages(built) == set()


def test_a_change_of_the_report_package_reruns_the_report_only(built):
    path = built / "src" / "splitpose" / "report" / "tables.py"
    text = path.read_text()
    path.write_text(text + "\n# a comment\n")
    assert outdated_stages(built) == {"report"}
    path.write_text(text)


def test_a_variants_learning_rate_reruns_only_that_variant(built):
    path = built / "params.yaml"
    text = path.read_text()
    path.write_text(text.replace("final: {}", "final: {fine_tune: {learning_rate: 0.001}}"))
    assert outdated_stages(built) == {"train_frozen@final-1", "fine_tune@final-1", "compare", "report"}
    path.write_text(text)


def test_a_new_variants_module_reruns_nothing(built):
    path = built / "src" / "splitpose" / "models" / "mine.py"
    path.write_text("CODEC = 'coordinates'\n")
    assert outdated_stages(built) == set()
    path.unlink()


def git(folder: Path, *words: str) -> str:
    user = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    return subprocess.run(["git", *user, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_repro_in_a_fresh_clone_without_cache_changes_no_tracked_file(built, tmp_path):
    git(built, "add", "--all")
    git(built, "commit", "--quiet", "--message", "Results")
    assert "reports/benchmark/baseline.json" in git(built, "ls-files")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(built), str(clone))
    (clone / "data" / "incoming").mkdir()
    run = stages_run(repro(clone, "evaluate@baseline", "benchmark@baseline"))
    assert {"download", "augment", "fine_tune@baseline-1", "evaluate@baseline", "convert@baseline"} <= set(run)
    assert "benchmark@baseline" not in run  # the same TFLite files keep their latencies
    assert git(clone, "status", "--porcelain") == ""
    # stages/test_compare.py checks that compare is reproducible; the report is no output.
    assert hashes(clone) == hashes(built)


@pytest.fixture(scope="module")
def repeated(built, tmp_path_factory) -> tuple[Path, list[str]]:
    """Return a copy of the project after it has run with two repeats of one variant, and the stages of that run."""
    folder = tmp_path_factory.mktemp("repeated") / "project"
    shutil.copytree(built, folder, symlinks=True)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump(params | {"variants": {"baseline": {}}}, sort_keys=False))
    set_repeats(folder, [1, 2])
    return folder, stages_run(repro(folder))


def read_repeats(folder: Path) -> dict:
    return json.loads((folder / "reports" / "repeats" / "baseline.json").read_text())


def test_a_new_repeat_is_the_only_one_that_is_trained(repeated):
    folder, stages = repeated
    trained = ["train_frozen@baseline-2", "fine_tune@baseline-2", "select@baseline", "evaluate@baseline"]
    stages = [stage for stage in stages if stage != "fingerprint"]
    assert stages[:4] == trained
    exported = {"convert@baseline", "benchmark@baseline"} if read_repeats(folder)["selected"] == 2 else set()
    assert set(stages[4:]) == {"compare", "report"} | exported


def test_the_first_repeat_has_the_weights_of_a_single_run(built, repeated):
    folder, _ = repeated
    before, after = hashes(built), hashes(folder)
    first = [path for path in before if path.startswith(f"{MODELS}/repeats/1/")]
    assert len(first) == 4
    assert {path: after[path] for path in first} == {path: before[path] for path in first}
    for name in ("frozen.weights.h5", "final.weights.h5"):
        assert after[f"{MODELS}/repeats/1/{name}"] != after[f"{MODELS}/repeats/2/{name}"]
    # With one repeat, it is the selected one.
    assert before[f"{MODELS}/final.weights.h5"] == before[f"{MODELS}/repeats/1/final.weights.h5"]


def test_the_best_repeat_is_evaluated_and_exported(repeated):
    folder, _ = repeated
    content = read_repeats(folder)
    results = content["repeats"]
    assert list(results) == ["1", "2"]
    assert content["selected"] == int(
        min(results, key=lambda repeat: (-results[repeat]["val_pck_0.2"], results[repeat]["val_loss"]))
    )
    selected = folder / MODELS / "repeats" / str(content["selected"])
    assert (folder / MODELS / "final.weights.h5").read_bytes() == (selected / "final.weights.h5").read_bytes()
    history = folder / "reports" / "history" / "baseline.csv"
    assert history.read_bytes() == (selected / "history.csv").read_bytes()
    predicted = folder / "reports" / "repeat_predictions" / "baseline"
    assert sorted(path.name for path in predicted.iterdir()) == ["1.csv", "2.csv"]
    predictions = folder / "reports" / "predictions" / "baseline.csv"
    assert (predicted / f"{content['selected']}.csv").read_bytes() == predictions.read_bytes()


def test_without_the_second_repeat_everything_is_as_before_it(built, repeated):
    before = hashes(built)
    folder, _ = repeated
    set_repeats(folder, [1])
    assert not {"train_frozen@baseline-1", "fine_tune@baseline-1"} & set(
        stages_run(repro(folder, "evaluate@baseline"))
    )
    after = hashes(folder)
    for path in (f"{MODELS}/final.weights.h5", "reports/history/baseline.csv", "reports/predictions/baseline.csv"):
        assert after[path] == before[path]
    assert not list((folder / MODELS / "repeats" / "2").iterdir())


def test_another_number_of_repeats_than_the_profiles_is_reported_before_anything_runs(repository, tmp_path):
    folder = workspace(repository, tmp_path, ["baseline"])
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("- 1", "- 1\n- 2"))
    completed = dvc(folder, "repro")
    assert completed.returncode != 0
    assert "error: params.yaml: repeats: [1, 2] differs from training.repeats of " in completed.stderr
    assert not (folder / "data" / "raw").exists()


def test_retraining_logs_a_decision_with_its_checks(built):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    completed = subprocess.run(
        [sys.executable, "-m", "splitpose", "retrain"],
        cwd=built,
        env=environment | {"PYTHONPATH": str(built / "src"), "PREFECT_HOME": str(built / ".prefect")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert completed.returncode == 0, completed.stdout
    (line,) = (built / "reports" / "decisions.jsonl").read_text().splitlines()
    decision = json.loads(line)
    outcome = "promoted version 1" if decision["action"] == "promote" else "there is no champion, version 1 was not"
    assert completed.stdout.splitlines()[-1].startswith(outcome)
    assert decision["reason"] in completed.stdout.splitlines()[-1]
    assert {check["name"] for check in decision["checks"]} == {
        "above_mean_pose",
        "parity",
        "p95_ms",
        "bytes",
        "data",
        "unseen_instances",
    }
    registry = ModelRegistry(built, "sample_tiny")
    champion, challenger = registry.champion(), registry.challenger()
    assert challenger and challenger.variant == "final"
    assert (champion == challenger) == (decision["action"] == "promote")
    assert set(stages_run(completed.stdout)) <= {"fingerprint"}


def test_invalid_parameters_are_reported_in_one_line(repository, tmp_path):
    folder = workspace(repository, tmp_path, ["baseline"], tiny_profile(repository) | {"source": 3})
    completed = dvc(folder, "repro")
    assert completed.returncode != 0
    assert "error: profiles/sample_tiny.yaml: source:" in completed.stderr
    assert "Traceback" not in completed.stdout + completed.stderr
    assert not list((folder / "data").glob("*raw*"))
