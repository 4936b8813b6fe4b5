"""`splitpose ui` with the real MLflow server that it starts."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient
from support import toy_project
from support.servers import free_port

from splitpose.errors import InputError
from splitpose.tracking import ui

pytestmark = pytest.mark.integration


@dataclass
class Ui:
    port: int
    process: "subprocess.Popen[str]"
    output: str
    experiment: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`splitpose ui` in a project that has no dvc.lock, so that nothing can be synchronised."""
    root = toy_project.write(tmp_path_factory.mktemp("ui") / "project")
    experiment = MlflowClient(f"sqlite:///{root}/mlflow.db").create_experiment("mine")
    port = free_port()
    command = [sys.executable, "-m", "splitpose", "ui", "--port", str(port), "--no-browser"]
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    process = subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield Ui(port, process, process.stdout.readline(), experiment)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
        process.stdout.close()
        with socket.socket() as probe:  # the server is stopped, too
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def write(running: Ui, **headers: str) -> requests.Response:
    """Try to set a tag of the experiment."""
    body = {"experiment_id": running.experiment, "key": "written", "value": "by a foreign page"}
    return requests.post(
        f"{running.address}/api/2.0/mlflow/experiments/set-experiment-tag", json=body, headers=headers, timeout=30
    )


def tags(running: Ui) -> list[str]:
    url = f"{running.address}/api/2.0/mlflow/experiments/get"
    answer = requests.get(url, {"experiment_id": running.experiment}, timeout=30).json()
    return [tag["key"] for tag in answer["experiment"].get("tags", [])]


def test_the_ui_is_served_although_nothing_can_be_synchronised(running: Ui) -> None:
    assert running.output.strip().endswith(f"{running.address}/#/experiments")
    assert "<title>MLflow</title>" in requests.get(running.address, timeout=30).text


def test_there_is_one_server_without_jobs(running: Ui) -> None:
    """splitpose, `mlflow server` and its only worker; MLflow's default are 15 processes."""

    def descendants(pid: int) -> list[int]:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children] + [one for child in children for one in descendants(int(child))]

    if not Path("/proc").is_dir():
        pytest.skip("there is no /proc")
    assert len(descendants(running.process.pid)) == 2


def test_telemetry_is_off(running: Ui) -> None:
    answer = requests.get(f"{running.address}/ajax-api/3.0/mlflow/ui-telemetry", timeout=30).json()
    assert answer["disable_ui_telemetry"] is True


@pytest.mark.parametrize("origin", ["http://example.com", "https://127.0.0.1.example.com", "null"])
def test_a_page_of_another_origin_cannot_write(running: Ui, origin: str) -> None:
    assert write(running, Origin=origin).status_code == 403
    assert "written" not in tags(running)


@pytest.mark.parametrize("host", ["example.com", "10.example.com", "192.168.example.com:80"])
def test_a_foreign_host_can_neither_read_nor_write(running: Ui, host: str) -> None:
    """MLflow's default accepts the last two: it takes them for addresses of a private network."""
    assert write(running, Host=host).status_code == 403
    assert requests.get(running.address, headers={"Host": host}, timeout=30).status_code == 403
    assert "written" not in tags(running)


def test_the_page_cannot_be_framed(running: Ui) -> None:
    assert requests.get(running.address, timeout=30).headers["X-Frame-Options"] == "DENY"


def test_the_page_itself_can_write(running: Ui) -> None:
    assert write(running, Origin=running.address).status_code == 200
    assert "written" in tags(running)


def test_the_link_names_the_experiment_of_a_run(running: Ui) -> None:
    body = {"experiment_id": running.experiment}
    run = requests.post(f"{running.address}/api/2.0/mlflow/runs/create", json=body, timeout=30).json()["run"]
    assert ui.link(running.address, run["info"]["run_id"]) == (
        f"{running.address}/#/experiments/{running.experiment}/runs"
        "?compareRunsMode=CHART&viewStateShareKey=comparison"
    )


def test_a_port_in_use_is_an_error(running: Ui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(InputError, match=rf"port {running.port} of 127.0.0.1 is in use; choose another --port"):
        ui.serve(tmp_path, running.port, open_browser=False)


def test_a_server_that_is_named_has_its_own_ui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"MLFLOW_TRACKING_URI: names a server"):
        ui.serve(tmp_path, open_browser=False)
