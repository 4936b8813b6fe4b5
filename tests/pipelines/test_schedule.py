"""`splitpose schedule` on a toy project: Prefect server, worker, deployments and automations."""

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

pytestmark = pytest.mark.integration

PIPELINE = """\
stages:
  wait:
    cmd:
      - echo waiting; while [ ! -e go.txt ]; do sleep 0.05; done
      - "echo 'error: input.csv: no such file' >&2; exit 3"
"""
TIMEOUT = 120.0


class Webhook:
    """A server that records what is posted to it."""

    def __init__(self):
        posted: list[dict] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *words):
                pass

        self.posted = posted
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()


@pytest.fixture
def webhook():
    webhook = Webhook()
    yield webhook
    webhook.server.shutdown()
    webhook.server.server_close()


def wait_until(condition, timeout=TIMEOUT):
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return value


@pytest.fixture
def scheduled(tmp_path, repository, webhook):
    """A toy project whose only stage waits for go.txt and then fails: (root, API, process, log)."""
    root = toy_project.write(tmp_path / "project", PIPELINE)
    deployments = (repository / "prefect.yaml").read_text()
    (root / "prefect.yaml").write_text(deployments)
    (root / "pipelines").symlink_to(repository / "pipelines")
    port = free_port()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    environment = {
        **inherited,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "SPLITPOSE_WEBHOOK": f"http://127.0.0.1:{webhook.server.server_port}/secret-path",
        "DVC_SITE_CACHE_DIR": str(tmp_path / "dvc"),
        "TOY_PROJECT": str(root),
    }
    log = tmp_path / "log"
    with log.open("wb") as file:
        command = ["-m", "splitpose", "schedule", "--port", str(port), "--stuck-after", "0.003"]
        process = subprocess.Popen(
            [sys.executable, *command], cwd=root, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    wait_until(lambda: "scheduled; runs are shown at" in log.read_text() or process.poll() is not None)
    assert process.poll() is None, log.read_text()
    yield root, f"http://127.0.0.1:{port}/api", process, log
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_due_runs_are_executed_one_at_a_time_and_alerts_are_posted(scheduled, webhook, remaining_processes):
    root, api, process, log = scheduled

    def runs():
        return requests.post(f"{api}/flow_runs/filter", json={"sort": "START_TIME_ASC"}, timeout=10).json()

    deployments = {
        one["name"]: one for one in requests.post(f"{api}/deployments/filter", json={}, timeout=10).json()
    }
    assert set(deployments) == {
        one["name"] for one in yaml.safe_load((root / "prefect.yaml").read_text())["deployments"]
    }
    wait_until(
        lambda: [run for run in runs() if run["deployment_id"] == deployments["nightly"]["id"]]
    )  # from the cron schedule
    manual = deployments["manual"]["id"]
    for _ in range(2):
        requests.post(f"{api}/deployments/{manual}/create_flow_run", json={}, timeout=10).raise_for_status()

    def states():
        return [run["state_name"] for run in runs() if run["deployment_id"] == manual]

    wait_until(lambda: "- waiting" in log.read_text())
    wait_until(lambda: [one for one in webhook.posted if one["alert"] == "late"])  # the other run waits
    wait_until(lambda: [one for one in webhook.posted if one["alert"] == "stuck"])
    assert states().count("Running") == 1
    assert log.read_text().count("- waiting") == 1
    (root / "go.txt").touch()
    wait_until(lambda: states() == ["Failed", "Failed"])
    (first, *_) = wait_until(lambda: [one for one in webhook.posted if one["alert"] == "failed"])
    assert "wait: input.csv: no such file" in first["message"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    assert remaining_processes(root) == []
    assert "secret-path" not in log.read_text()
