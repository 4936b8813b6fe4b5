"""`splitpose retention` on a toy project: a real Prefect server and DVC's real cache."""

import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Running
from support import toy_project

from pipelines import retention
from splitpose.cli import main
from splitpose.tracking.runs import connect, open_run

pytestmark = pytest.mark.integration

PIPELINE = """\
stages:
  copy:
    cmd: cp inputs/people.txt copy.txt
    deps: [inputs/people.txt]
    outs: [copy.txt]
"""
FORGOTTEN = hashlib.md5(b"forgotten").hexdigest()
PORT = 1
"""No server of `splitpose schedule`."""


@pytest.fixture
def client(shared_prefect, monkeypatch):
    url = shared_prefect.health.removesuffix("/health")
    monkeypatch.setenv("PREFECT_API_URL", url)
    with temporary_settings({PREFECT_API_URL: url}), get_client(sync_client=True) as client:
        yield client


def test_old_prefect_runs_are_deleted(client, tmp_path):
    def create(flow, state):
        flow_id = client.create_flow_from_name(flow)
        response = client.request("POST", "/flow_runs/", json={"flow_id": str(flow_id), "name": flow})
        run = response.json()["id"]
        client.set_flow_run_state(run, Running(), force=True)
        if state:
            client.set_flow_run_state(run, state, force=True)
        return run

    def runs():
        return {str(run.id) for run in client.read_flow_runs()}

    ended, active, other = create("retrain", Completed()), create("reproduce", None), create("other", Completed())
    lines: list[str] = []

    def apply(days, dry_run):
        retention.apply(tmp_path, retention.Ages(days, None, None), dry_run, PORT, lines.append)

    apply(1, False)
    assert lines == ["Prefect: 0 runs that ended more than 1 days ago deleted"]
    apply(0, True)
    assert runs() == {ended, active, other}
    assert lines[1:] == [
        f"  retrain, Completed, ended {datetime.now(UTC):%Y-%m-%d}",
        "Prefect: 1 run that ended more than 0 days ago would be deleted",
    ]
    apply(0, False)
    assert runs() == {active, other}
    for run in (active, other):
        client.delete_flow_run(run)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project in git whose DVC cache and MLflow store contain something that nothing refers to."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = toy_project.write(tmp_path / "project", PIPELINE)
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (root / ".gitignore").write_text("copy.txt\n/.dvc/cache\n/.dvc/tmp\n/mlflow.db\n/mlartifacts\n")

    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)

    def run(text):
        (root / "inputs/people.txt").write_text(text)
        toy_project.repro(root)

    git("init", "-q")
    run("committed")
    git("add", "-A")
    git("commit", "-qm", "first")
    run("present")
    forgotten = root / ".dvc/cache/files/md5" / FORGOTTEN[:2] / FORGOTTEN[2:]
    forgotten.parent.mkdir(parents=True)
    forgotten.write_text("forgotten")
    ended = int((datetime.now(UTC) - timedelta(days=181)).timestamp() * 1000)
    connect(root).set_terminated(open_run(root, "tiny", "plain", "old state").id, end_time=ended)
    return root


def test_the_command_deletes_what_its_dry_run_lists(client, project, monkeypatch, capsys):
    monkeypatch.chdir(project)

    def retention(*options) -> str:
        assert main(["retention", *options]) == 0
        return capsys.readouterr().out

    def cached():
        return {path.read_text() for path in (project / ".dvc/cache/files/md5").rglob("*") if path.is_file()}

    mlflow = connect(project)
    [experiment] = [one.experiment_id for one in mlflow.search_experiments() if one.name == "splitpose-tiny"]
    [run] = mlflow.search_runs([experiment])
    planned = retention("--dry-run")
    assert cached() == {"committed", "forgotten", "present"}
    assert len(mlflow.search_runs([experiment])) == 1
    assert f"{run.info.run_id}, ended " in planned
    assert "MLflow: 1 run that ended more than 180 days ago would be deleted" in planned

    done = retention()
    assert cached() == {"committed", "present"}
    assert mlflow.search_runs([experiment]) == []
    assert done.splitlines()[0] == "Prefect: 0 runs that ended more than 90 days ago deleted"
    assert "MLflow: 1 run that ended more than 180 days ago deleted" in done
    assert "DVC: 1 file that" in planned and "DVC: 1 file that" in done
    assert "would be deleted" not in done
