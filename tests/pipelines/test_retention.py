"""`splitpose retention` on a toy project: a real Prefect server and DVC's real cache."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Running
from support import toy_project

from pipelines import retention

pytestmark = pytest.mark.integration

PIPELINE = """\
stages:
  copy:
    cmd: cp inputs/people.txt copy.txt
    deps: [inputs/people.txt]
    outs: [copy.txt]
"""
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


def test_files_that_no_version_uses_are_deleted_from_the_cache(tmp_path):
    root = toy_project.write(tmp_path / "project", PIPELINE)
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (root / ".gitignore").write_text("copy.txt\n/.dvc/cache\n/.dvc/tmp\n")

    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)

    def cached():
        return {path.read_text() for path in (root / ".dvc/cache/files/md5").rglob("*") if path.is_file()}

    def run(text):
        (root / "inputs/people.txt").write_text(text)
        subprocess.run([sys.executable, "-m", "dvc", "repro", "-q"], cwd=root, check=True)

    git("init", "-q")
    run("committed")
    git("add", "-A")
    git("commit", "-qm", "first")
    run("forgotten")
    run("present")
    assert cached() == {"committed", "forgotten", "present"}
    lines: list[str] = []
    for dry_run in (True, False):
        assert "forgotten" in cached()
        retention.apply(root, retention.Ages(None, None, 90), dry_run, PORT, lines.append)
    assert cached() == {"committed", "present"}
    assert ["DVC: 1 file that" in line for line in lines] == [True, True]
    assert [line.endswith("would be deleted") for line in lines] == [True, False]
