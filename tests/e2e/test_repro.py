"""The complete pipeline on a tiny profile, run by DVC in copies of the repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.tiny_project import dvc, hashes, repro, stages_run, tiny_profile, workspace

from splitpose.inference.metadata import require_metadata
from splitpose.tracking.model_registry import ModelRegistry

TIMED = (
    "reports/benchmark", "reports/training_time", "reports/comparison", "reports/index.html", "reports/figures",
)  # fmt: skip
"""Outputs that hold timings."""

SHARED = ("reports/analysis", "reports/plots")
"""Outputs that depend on all variants (tests/stages/test_compare.py checks that they are reproducible)."""


def outdated_stages(folder: Path) -> set[str]:
    """Return the stages that would run, without `fingerprint`, which always runs."""
    return set(json.loads(dvc(folder, "status", "--json").stdout)) - {"fingerprint"}


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


def test_a_second_repro_only_takes_fingerprints(built):
    before = (built / "dvc.lock").read_bytes()
    assert stages_run(repro(built)) == ["fingerprint"]
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


def test_another_copy_of_the_repository_has_the_same_bytes(built, repository, tmp_path):
    folder = workspace(repository, tmp_path, ["final"])
    repro(folder, "evaluate@final", "convert@final")
    untimed = [
        {path: md5 for path, md5 in hashes(place).items() if not path.startswith((*TIMED, *SHARED))}
        for place in (built, folder)
    ]
    assert {path for path in untimed[1] if path.startswith("models/final/")} == {
        f"models/final/{name}"
        for name in (
            "initial",
            *(
                f"repeats/1/{name}"
                for name in ("frozen.weights.h5", "frozen.csv", "final.weights.h5", "history.csv")
            ),
            "final.weights.h5",
            *(f"{p}.tflite" for p in ("float32", "float16", "int8")),
        )
    }
    for path, md5 in untimed[1].items():
        assert untimed[0][path] == md5, path


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
