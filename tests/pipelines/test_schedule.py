"""`splitpose schedule` on a toy project: Prefect server, worker, deployments and monitor."""

import json
import signal
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from support import yaml
from support.scheduler import scheduler, wait_until

pytestmark = pytest.mark.integration

PIPELINE = """\
stages:
  wait:
    cmd:
      - echo waiting; while [ ! -e go.txt ]; do sleep 0.05; done
      - "echo 'error: input.csv: no such file' >&2; exit 3"
"""


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


@pytest.fixture
def scheduled(tmp_path, repository, webhook):
    """A scheduled toy project whose only stage waits for go.txt and then fails."""
    url = f"http://127.0.0.1:{webhook.server.server_port}/secret-path"
    with scheduler(tmp_path, repository, PIPELINE, "--stuck-after", "0.003", SPLITPOSE_WEBHOOK=url) as started:
        yield started


def test_due_runs_are_executed_one_at_a_time_and_alerts_are_posted(scheduled, webhook, remaining_processes):
    root, process, log, api = scheduled.root, scheduled.process, scheduled.log, scheduled.api
    deployments = api.deployments()
    assert set(deployments) == {
        one["name"] for one in yaml.safe_load((root / "prefect.yaml").read_text())["deployments"]
    }
    wait_until(lambda: api.runs(deployments["nightly"]["id"]))  # from the cron schedule
    manual = deployments["manual"]["id"]
    for _ in range(2):
        api.post(f"deployments/{manual}/create_flow_run")

    def states():
        return [run["state_name"] for run in api.runs(manual)]

    wait_until(lambda: "- waiting" in log.read_text())
    wait_until(lambda: [one for one in webhook.posted if one["alert"] == "stuck"])
    assert states().count("Running") == 1
    assert log.read_text().count("- waiting") == 1
    (root / "go.txt").touch()
    wait_until(lambda: states() == ["Failed", "Failed"])
    failures = wait_until(
        lambda: len(found := [one for one in webhook.posted if one["alert"] == "failed"]) > 1 and found
    )
    assert ["wait: input.csv: no such file" in one["message"] for one in failures] == [True, True]
    assert len({one["id"] for one in webhook.posted}) == len(webhook.posted)
    assert not [one for one in webhook.posted if one["alert"] == "late"]  # the second run has waited for the first
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    assert remaining_processes(root) == []
    assert "secret-path" not in log.read_text()
