"""The whole pipeline on a tiny profile, by dvc alone, in clones of the repository."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TIMED = ("reports/benchmark", "reports/comparison", "reports/index.html", "reports/figures")
"""Outputs that hold timings."""


def tiny_profile(repository: Path) -> dict:
    profile = yaml.safe_load((repository / "profiles" / "sample.yaml").read_text())
    profile["source"] |= {"people": 48, "films": 8}
    profile["crops"] |= {"size": 32, "copies": 2, "shards": 2}
    profile["model"] |= {"width": 0.25}
    profile["training"] |= {"batch": 4, "evaluate_every": 4}
    for phase in ("frozen", "fine_tune"):
        profile["training"][phase] |= {"iterations": 8, "warm_up": 0}
    profile["scoring"] |= {"resamples": 100}
    profile["conversion"] |= {"calibration_crops": 8}
    profile["benchmark"] |= {"runs": 10, "warm_up_runs": 2}
    return profile


def workspace(repository: Path, folder: Path, variants: list[str]) -> Path:
    """A copy of what git tracks, or would, with a tiny profile and an empty cache."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    ):
        if name and (repository / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(repository / name, folder / name)
    (folder / "dvc.lock").unlink(missing_ok=True)
    (folder / "profiles" / "sample_tiny.yaml").write_text(yaml.safe_dump(tiny_profile(repository), sort_keys=False))
    params = {"profile": "sample_tiny", "variants": {name: {} for name in variants}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def dvc(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
    }
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def repro(folder: Path) -> str:
    done = dvc(folder, "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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
    assert "stand-in" in page
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
    assert changed(made) == {"train_frozen@final", "fine_tune@final", "report"}
    path.write_text(text)


def test_a_new_variants_module_reruns_nothing(made):
    path = made / "src" / "splitpose" / "models" / "mine.py"
    path.write_text("CODEC = 'coordinates'\n")
    assert changed(made) == set()
    path.unlink()


def test_another_clone_gives_the_same_bytes(made, repository, tmp_path):
    folder = workspace(repository, tmp_path, ["final"])
    repro(folder)
    hashes = {}
    for place in (made, folder):
        stages = yaml.safe_load((place / "dvc.lock").read_text())["stages"]
        outs = [out for stage in stages.values() for out in stage["outs"]]
        hashes[place] = {out["path"]: out["md5"] for out in outs if not out["path"].startswith(TIMED)}
    assert {path for path in hashes[folder] if path.startswith("models/final/")} == {
        f"models/final/{name}"
        for name in (
            "frozen.weights.h5",
            "frozen.csv",
            "final.weights.h5",
            *(f"{p}.tflite" for p in ("float32", "float16", "int8")),
        )
    }
    for path, md5 in hashes[folder].items():
        assert hashes[made][path] == md5, path


def test_bad_parameters_end_in_one_clear_line(repository, tmp_path):
    folder = workspace(repository, tmp_path, ["baseline"])
    (folder / "profiles" / "sample_tiny.yaml").write_text("source: 3\n")
    done = dvc(folder, "repro")
    assert done.returncode != 0
    assert "error: profiles/sample_tiny.yaml: source:" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list((folder / "data").glob("*raw*"))
