"""The comparators' pipeline beside the main one: neither runs the other, and the report shows what it finds."""

import json
from pathlib import Path

import pytest
import yaml
from support.tiny_project import dvc, repro, workspace

FIGURES = {"size": 224, "parameters": 10**6, "macs": 10**9, "p50_ms": 8.0, "p95_ms": 9.0}
FOUND = {
    "profile": "sample_tiny",
    "device": {"target": "local"},
    "baseline": {"kind": "ours", **FIGURES, "fully_delegated": True},
    "Made up": {"kind": "pose", "year": 2016, **FIGURES, "p50_ms": 80.0, "fully_delegated": False},
}


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Path:
    """Both pipelines, their stages replaced by copies, so that they take no time."""
    folder = workspace(repository, tmp_path, ["baseline"])
    (folder / "found.json").write_text(json.dumps(FOUND))
    (folder / "dvc.yaml").write_text(
        yaml.safe_dump(
            {
                "stages": {
                    "convert": {"cmd": "mkdir models && echo 1 > models/float32.tflite", "outs": ["models"]},
                    "report": {
                        "cmd": "(cat reports/comparators.json || echo none) > reports/index.html",
                        "deps": ["models"],
                        "outs": ["reports/index.html"],
                    },
                }
            }
        )
    )
    beside = folder / "comparators" / "dvc.yaml"
    pipeline = yaml.safe_load(beside.read_text())
    pipeline["stages"]["comparators"]["cmd"] = "cp found.json reports/comparators.json"
    beside.write_text(yaml.safe_dump(pipeline))
    return folder


def test_the_two_are_apart(project: Path) -> None:
    assert "Running stage 'comparators'" not in repro(project)
    assert not (project / "reports" / "comparators.json").exists()
    assert json.loads(dvc(project, "status", "--json").stdout) == {}
    assert "comparators" not in dvc(project, "dag", "--dot").stdout
    lock = (project / "dvc.lock").read_bytes()

    words = ["--cd", "comparators", "repro"]
    assert "Running stage 'comparators'" in dvc(project, *words).stdout
    assert json.loads((project / "reports" / "comparators.json").read_text()) == FOUND
    assert "didn't change, skipping" in dvc(project, *words).stdout
    assert (project / "dvc.lock").read_bytes() == lock
    assert json.loads(dvc(project, "status", "--json").stdout) == {}

    assert (project / "reports" / "index.html").read_text() == "none\n"
    assert dvc(project, "repro", "--force", "--single-item", "report").returncode == 0
    assert json.loads((project / "reports" / "index.html").read_text()) == FOUND
    assert "Running stage" not in repro(project)


def test_a_changed_width_reruns_the_comparators(project: Path) -> None:
    repro(project)
    dvc(project, "--cd", "comparators", "repro")
    path = project / "profiles" / "sample_tiny.yaml"
    path.write_text(path.read_text().replace("width_multiplier: 0.25", "width_multiplier: 0.5"))
    assert set(json.loads(dvc(project, "--cd", "comparators", "status", "--json").stdout)) == {"comparators"}
