"""The page that `splitpose ui` serves, and foreign pages, in Chromium."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient
from support import toy_project
from support.chromium import needs_chromium, rendered_address
from support.foreign_page import open_foreign_page
from support.servers import free_port

from splitpose.tracking.presentation import SECTIONS

pytestmark = [pytest.mark.integration, needs_chromium]


@dataclass
class Ui:
    address: str
    link: str
    client: MlflowClient

    @property
    def experiment(self) -> str:
        """The id of the experiment in the link."""
        return self.link.split("/experiments/")[1].split("/")[0]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`splitpose ui` of a project with two variants and without a database, which the command creates."""
    root = toy_project.write(tmp_path_factory.mktemp("ui") / "project")
    (root / "params.yaml").write_text("profile: tiny\nrepeats: [1]\nvariants: {fast: {}, slow: {}}\n")
    port = free_port()
    command = [sys.executable, "-m", "splitpose", "ui", "--port", str(port), "--no-browser"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("dvc")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        toy_project.repro(root)
        assert not (root / "mlflow.db").exists()
        process = subprocess.Popen(
            command, cwd=root, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    try:
        line = process.stdout.readline()
        yield Ui(f"http://127.0.0.1:{port}", line.split()[-1], MlflowClient(f"sqlite:///{root}/mlflow.db"))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stdout.close()


def test_the_link_opens_the_charts_of_the_present_runs(running: Ui, tmp_path: Path) -> None:
    names = {run.info.run_name for run in running.client.search_runs([running.experiment])}
    assert {name.split()[0] for name in names} == {"fast", "slow"}
    page = rendered_address(running.link, tmp_path, seconds=20)
    assert [name for name in names if name not in page] == []
    assert re.findall(rf">\s*({'|'.join(SECTIONS)})\s*<", page) == list(SECTIONS)


def test_a_foreign_host_name_of_this_machine_shows_nothing(running: Ui, tmp_path: Path) -> None:
    """An attacker's DNS may resolve the attacker's host to 127.0.0.1: then the page has the server's own origin."""
    address = running.address.replace("127.0.0.1", "10.example.com")
    assert "Invalid Host header" in rendered_address(address, tmp_path, host="10.example.com")


def test_a_page_of_another_host_can_neither_read_nor_write(running: Ui) -> None:
    api = f"{running.address}/api/2.0/mlflow/experiments"
    body = f'{{"experiment_id": "{running.experiment}", "key": "written", "value": "by a foreign page"}}'
    post = {"method": "POST", "body": body}
    json = {"headers": {"Content-Type": "application/json"}}
    results = open_foreign_page(
        {
            "read": (f"{api}/get?experiment_id={running.experiment}", {}),
            "write": (f"{api}/set-experiment-tag", post | json),
            "write without asking": (f"{api}/set-experiment-tag", post | {"untyped": True, "mode": "no-cors"}),
        },
        host="example.com",
    )
    assert [results[name].get("error") for name in ("read", "write")] == ["TypeError", "TypeError"]
    assert results["write without asking"]["type"] == "opaque"
    assert "written" not in running.client.get_experiment(running.experiment).tags
