"""The whole pipeline on a tiny profile, by dvc alone, in clones of the repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.tiny_project import dvc, hashes, repro, workspace

from splitpose.tracking.model_registry import ModelRegistry

TIMED = (
    "reports/benchmark", "reports/training_time", "reports/comparison", "reports/index.html", "reports/figures",
)  # fmt: skip
"""Outputs that hold timings."""

TOGETHER = ("reports/analysis", "reports/plots")
"""Outputs that are of all variants together (tests/stages/test_compare.py computes them twice)."""


def changed(folder: Path) -> set[str]:
    return set(json.loads(dvc(folder, "status", "--json").stdout))


@pytest.fixture(scope="module")
def made(repository, tmp_path_factory) -> Path:
    folder = workspace(repository, tmp_path_factory.mktemp("made"), ["baseline", "final"])
    repro(folder)
    return folder


def test_everything_is_there(made):
    comparison = json.loads((made / "reports" / "comparison.json").read_text())
    assert comparison["profile"] == "sample_tiny"
    assert list(comparison["variants"]) == ["baseline", "final"]
    for name, variant in comparison["variants"].items():
        assert set(variant["pck"]) == {"0.05", "0.1", "0.2"}
        assert {"mean", "elbow", "wrist", "lsho", "nose", "ci95"} <= set(variant["pck"]["0.2"])
        for precision, figures in variant["tflite"].items():
            assert figures["bytes"] == (made / "models" / name / f"{precision}.tflite").stat().st_size
            assert figures["p50_ms"] > 0
    page = (made / "reports" / "index.html").read_text()
    assert "synthetic people" in page
    assert (made / "reports" / "data_docs" / "index.html").is_file()


def test_validation_films_are_not_trained_on(made):
    from splitpose import annotations

    table = annotations.read(made / "data" / "annotations" / "annotations.parquet")
    films = table.groupby("split")["group"].unique().map(set)
    assert films["train"] and films["val"] and films["test"]
    assert not films["train"] & films["val"]
    assert not films["train"] & films["test"]


def test_a_second_repro_runs_nothing(made):
    before = (made / "dvc.lock").read_bytes()
    assert "Running stage" not in repro(made)
    assert (made / "dvc.lock").read_bytes() == before


def test_files_that_python_writes_beside_modules_rerun_nothing(made):
    rooms = [path for path in (made / "src" / "splitpose").iterdir() if path.is_dir()]
    for room in rooms:
        (room / "__pycache__").mkdir(exist_ok=True)
        (room / "__pycache__" / "made_just_now.pyc").write_bytes(b"x")
    assert len(rooms) > 5
    assert changed(made) == set()


def test_a_docstring_in_the_report_room_trains_nothing(made):
    path = made / "src" / "splitpose" / "report" / "tables.py"
    text = path.read_text()
    path.write_text(text + "\n# a remark\n")
    assert changed(made) == {"report"}
    path.write_text(text)


def test_a_variants_learning_rate_reruns_that_variant_alone(made):
    path = made / "params.yaml"
    text = path.read_text()
    path.write_text(text.replace("final: {}", "final: {fine_tune: {learning_rate: 0.001}}"))
    assert changed(made) == {"train_frozen@final", "fine_tune@final", "compare", "report"}
    path.write_text(text)


def test_a_new_variants_module_reruns_nothing(made):
    path = made / "src" / "splitpose" / "models" / "mine.py"
    path.write_text("CODEC = 'coordinates'\n")
    assert changed(made) == set()
    path.unlink()


def test_another_clone_gives_the_same_bytes(made, repository, tmp_path):
    folder = workspace(repository, tmp_path, ["final"])
    repro(folder)
    untimed = [
        {path: md5 for path, md5 in hashes(place).items() if not path.startswith((*TIMED, *TOGETHER))}
        for place in (made, folder)
    ]
    assert {path for path in untimed[1] if path.startswith("models/final/")} == {
        f"models/final/{name}"
        for name in (
            "frozen.weights.h5",
            "frozen.csv",
            "final.weights.h5",
            *(f"{p}.tflite" for p in ("float32", "float16", "int8")),
        )
    }
    for path, md5 in untimed[1].items():
        assert untimed[0][path] == md5, path


def test_retraining_decides_on_the_champion_and_keeps_why(made):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    done = subprocess.run(
        [sys.executable, "-m", "splitpose", "retrain"],
        cwd=made,
        env=environment | {"PYTHONPATH": str(made / "src"), "PREFECT_HOME": str(made / ".prefect")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (made / "reports" / "decisions.jsonl").read_text().splitlines()
    decision = json.loads(line)
    assert decision["reason"].startswith("there is no champion yet; ")
    assert {check["name"] for check in decision["checks"]} == {
        "above_mean_pose",
        "parity",
        "p95_ms",
        "bytes",
        "data",
    }
    registry = ModelRegistry(made, "sample_tiny")
    champion, challenger = registry.champion(), registry.challenger()
    assert challenger and challenger.variant == "final"
    assert (champion == challenger) == (decision["action"] == "promote")
    assert "Running stage" not in done.stdout


def test_bad_parameters_end_in_one_clear_line(repository, tmp_path):
    folder = workspace(repository, tmp_path, ["baseline"])
    (folder / "profiles" / "sample_tiny.yaml").write_text("source: 3\n")
    done = dvc(folder, "repro")
    assert done.returncode != 0
    assert "error: profiles/sample_tiny.yaml: source:" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list((folder / "data").glob("*raw*"))
