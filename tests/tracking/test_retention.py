"""Which MLflow runs are deleted, with a real store."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support import yaml

from splitpose.tracking import retention, state
from splitpose.tracking.runs import connect, open_run

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 28, 12).astimezone()
BEFORE = NOW - timedelta(days=180)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project whose dvc.lock has all stages of the variant plain."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "params.yaml").write_text("profile: tiny\nrepeats: [1]\nvariants: {plain: {}}\n")
    stages = {name: {"cmd": name, "deps": [], "outs": []} for name in state.stage_names("plain", [1])}
    stages["select@plain"]["params"] = {"params.yaml": {"repeats": [1]}}
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    return tmp_path


def end(root, run, days_ago, status="FINISHED"):
    milliseconds = int((NOW - timedelta(days=days_ago)).timestamp() * 1000)
    connect(root).set_terminated(run, status, milliseconds)


def create(root, digest, days_ago, status="FINISHED"):
    run = open_run(root, "tiny", "plain", digest)
    artifact = root / "note.txt"
    artifact.write_text(digest)
    run.client.log_artifact(run.id, str(artifact))
    end(root, run.id, days_ago, status)
    return run.id


def test_old_runs_are_deleted_unless_something_refers_to_them(root):
    client = connect(root)
    old, failed = create(root, "old", 190), create(root, "failed", 200, "FAILED")
    create(root, "recent", 170)
    create(root, "running", 190, "RUNNING")
    registered, by_source = create(root, "registered", 190), create(root, "by source", 190)
    client.create_registered_model("splitpose-tiny")
    client.create_model_version("splitpose-tiny", f"runs:/{registered}/model", registered)
    client.create_model_version("splitpose-tiny", f"runs:/{by_source}/model")
    present = create(root, state.digest(state.lock_entries(root), "plain"), 190)
    other = client.create_experiment("of another project")
    client.set_terminated(client.create_run(other).info.run_id, end_time=1)

    runs = retention.outdated_runs(root, BEFORE)
    assert [run.id for run in runs] == [failed, old]
    folders = [Path(client.get_run(run.id).info.artifact_uri.removeprefix("file://")) for run in runs]
    assert all(folder.is_dir() for folder in folders)
    assert retention.delete(root, runs)
    assert not any(folder.exists() for folder in folders)
    assert retention.outdated_runs(root, BEFORE) == []
    experiment = client.get_experiment_by_name("splitpose-tiny").experiment_id
    left = {run.info.run_id for run in client.search_runs([experiment])}
    assert left >= {registered, by_source, present}
    assert len(left) == 5


def test_a_project_without_runs_has_nothing_to_delete(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert retention.outdated_runs(tmp_path, BEFORE) == []
    assert list(tmp_path.iterdir()) == []
