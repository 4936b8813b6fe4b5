"""The comparators' pipeline is separate from the main one, and the report shows its measurements if they exist."""

import json
from pathlib import Path

import pytest
from support import yaml
from support.tiny_project import dvc, repro, workspace

RESULTS = {"size": 224, "parameters": 10**6, "macs": 10**9, "p50_ms": 8.0, "p95_ms": 9.0}
MEASUREMENTS = {
    "profile": "sample_tiny",
    "device": {"target": "local"},
    "baseline": {"kind": "ours", **RESULTS, "fully_delegated": True},
    "Fictitious": {"kind": "pose", "year": 2016, **RESULTS, "p50_ms": 80.0, "fully_delegated": False},
}


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Path:
    """Return a project with both pipelines, whose stages are replaced by commands that take no time."""
    folder = workspace(repository, tmp_path, ["baseline"])
    (folder / "measurements.json").write_text(json.dumps(MEASUREMENTS))
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
    separate = folder / "comparators" / "dvc.yaml"
    pipeline = yaml.safe_load(separate.read_text())
    pipeline["stages"]["comparators"]["cmd"] = "cp measurements.json reports/comparators.json"
    separate.write_text(yaml.safe_dump(pipeline))
    return folder


def test_neither_pipeline_runs_the_other(project: Path) -> None:
    assert "Running stage 'comparators'" not in repro(project)
    assert not (project / "reports" / "comparators.json").exists()
    assert json.loads(dvc(project, "status", "--json").stdout) == {}
    assert "comparators" not in dvc(project, "dag", "--dot").stdout
    lock = (project / "dvc.lock").read_bytes()

    arguments = ["--cd", "comparators", "repro"]
    assert "Running stage 'comparators'" in dvc(project, *arguments).stdout
    assert json.loads((project / "reports" / "comparators.json").read_text()) == MEASUREMENTS
    assert "didn't change, skipping" in dvc(project, *arguments).stdout
    assert (project / "dvc.lock").read_bytes() == lock
    assert json.loads(dvc(project, "status", "--json").stdout) == {}

    assert (project / "reports" / "index.html").read_text() == "none\n"
    assert dvc(project, "repro", "--force", "--single-item", "report").returncode == 0
    assert json.loads((project / "reports" / "index.html").read_text()) == MEASUREMENTS
    assert "Running stage" not in repro(project)


def test_a_changed_width_reruns_the_comparators(project: Path) -> None:
    repro(project)
    dvc(project, "--cd", "comparators", "repro")
    path = project / "profiles" / "sample_tiny.yaml"
    path.write_text(path.read_text().replace("width_multiplier: 0.25", "width_multiplier: 0.5"))
    assert set(json.loads(dvc(project, "--cd", "comparators", "status", "--json").stdout)) == {"comparators"}
