"""`make schedule` on a project in miniature: Prefect's own server, worker, deployments and automations."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
import yaml
from support import toy_project
from support.servers import free_port

PIPELINE = """\
stages:
  wait:
    cmd:
      - echo begins; while [ ! -e go.txt ]; do sleep 0.05; done
      - "echo 'error: weather.csv: no such file' >&2; exit 3"
"""
PATIENCE = 120.0


class Bell:
    """A server that keeps what is posted to it."""

    def __init__(self):
        rung: list[dict] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                rung.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *words):
                pass

        self.rung = rung
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()


@pytest.fixture
def bell():
    bell = Bell()
    yield bell
    bell.server.shutdown()
    bell.server.server_close()


def until(what, timeout=PATIENCE):
    deadline = time.monotonic() + timeout
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


@pytest.fixture
def scheduled(tmp_path, repository, bell):
    """A toy project whose only stage waits for go.txt and fails then; (root, API, process, its words)."""
    root = toy_project.write(tmp_path / "project", PIPELINE)
    deployments = (repository / "prefect.yaml").read_text()
    (root / "prefect.yaml").write_text(deployments)
    (root / "pipelines").symlink_to(repository / "pipelines")
    port = free_port()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    environment = {
        **kept,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "SPLITPOSE_WEBHOOK": f"http://127.0.0.1:{bell.server.server_port}/secret-path",
        "DVC_SITE_CACHE_DIR": str(tmp_path / "dvc"),
        "TOY_PROJECT": str(root),
    }
    log = tmp_path / "log"
    with log.open("wb") as file:
        command = ["-m", "splitpose", "schedule", "--port", str(port), "--stuck-after", "0.003"]
        process = subprocess.Popen(
            [sys.executable, *command], cwd=root, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    until(lambda: "scheduled; runs are shown at" in log.read_text() or process.poll() is not None)
    assert process.poll() is None, log.read_text()
    yield root, f"http://127.0.0.1:{port}/api", process, log
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_it_runs_what_is_due_one_after_the_other_and_tells_of_what_is_wrong(scheduled, bell, left_behind):
    root, api, process, log = scheduled

    def runs():
        return requests.post(f"{api}/flow_runs/filter", json={"sort": "START_TIME_ASC"}, timeout=10).json()

    deployments = {
        one["name"]: one for one in requests.post(f"{api}/deployments/filter", json={}, timeout=10).json()
    }
    assert set(deployments) == {
        one["name"] for one in yaml.safe_load((root / "prefect.yaml").read_text())["deployments"]
    }
    until(lambda: [run for run in runs() if run["deployment_id"] == deployments["nightly"]["id"]])  # the cron's
    manual = deployments["manual"]["id"]
    for _ in range(2):
        requests.post(f"{api}/deployments/{manual}/create_flow_run", json={}, timeout=10).raise_for_status()

    def states():
        return [run["state_name"] for run in runs() if run["deployment_id"] == manual]

    until(lambda: "- begins" in log.read_text())
    until(lambda: [one for one in bell.rung if one["alert"] == "late"])  # the other one waits
    until(lambda: [one for one in bell.rung if one["alert"] == "stuck"])
    assert states().count("Running") == 1
    assert log.read_text().count("- begins") == 1
    (root / "go.txt").touch()
    until(lambda: states() == ["Failed", "Failed"])
    (first, *_) = until(lambda: [one for one in bell.rung if one["alert"] == "failed"])
    assert "wait: weather.csv: no such file" in first["message"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    assert left_behind(root) == []
    assert "secret-path" not in log.read_text()
