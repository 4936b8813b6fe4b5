"""Faults of the real components: the next run succeeds, and nothing is lost or logged twice."""

import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow import MlflowClient
from support.flow_runner import TIMEOUT, FlowRunner, kill_processes, wait_for_output
from support.servers import mlflow_server

pytestmark = pytest.mark.integration


def steps_of(client: MlflowClient) -> list[int]:
    """Return the steps of the training losses in the only run."""
    (experiment,) = [one for one in client.search_experiments() if one.name.startswith("splitpose")]
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.tags["splitpose.origin"] == "trained"
    assert client.list_artifacts(run.info.run_id)
    return sorted(metric.step for metric in client.get_metric_history(run.info.run_id, "train/loss"))


def local(root: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{root}/mlflow.db")


def test_training_survives_mlflow_and_its_run_is_completed(project, prefect, repository, tmp_path):
    (tmp_path / "mlflow").mkdir()
    with mlflow_server(tmp_path / "mlflow") as mlflow:
        uri = mlflow.health.removesuffix("/health")
        quick = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "PREFECT_TASKS_DEFAULT_RETRY_DELAY_SECONDS": "15"}
        runner = FlowRunner(project, prefect, repository, MLFLOW_TRACKING_URI=uri, **quick)
        log = tmp_path / "log"
        flow = runner.start(log)
        wait_for_output(log, "row 2")
        mlflow.kill()
        (project / "go.txt").touch()
        wait_for_output(log, "warning: MLflow logging stopped")
        mlflow.start()
        assert flow.wait(TIMEOUT) == 0, log.read_text()
        assert steps_of(MlflowClient(uri)) == [10, 20, 30]


def test_a_flow_survives_a_restart_of_the_prefect_server(project, prefect, repository, tmp_path):
    runner = FlowRunner(project, prefect, repository)
    log = tmp_path / "log"
    flow = runner.start(log)
    wait_for_output(log, "row 2")
    prefect.kill()
    time.sleep(1)
    prefect.start()
    (project / "go.txt").touch()
    assert flow.wait(TIMEOUT) == 0, log.read_text()
    assert steps_of(local(project)) == [10, 20, 30]


@pytest.mark.parametrize(
    ("text", "resumed"), [("row 2", "resumes after row 2"), ("'convert@plain' - Finished", None)]
)
def test_a_flow_resumes_after_its_machine_was_switched_off(project, prefect, repository, tmp_path, text, resumed):
    runner = FlowRunner(project, prefect, repository)
    log = tmp_path / "log"
    if resumed is None:
        (project / "go.txt").touch()
    runner.start(log)
    wait_for_output(log, text)
    kill_processes(project)
    (project / "go.txt").touch()
    status, output = runner.run()
    assert status == 0, output
    assert (resumed is None) == ("resumes after row" not in output)
    assert resumed is None or resumed in output
    assert steps_of(local(project)) == [10, 20, 30]


@pytest.fixture
def disk(tmp_path):
    """A file system of 16 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", folder], check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return ballast


def test_a_flow_fails_on_a_full_disk_and_succeeds_after_freeing_space(project, disk, prefect, repository, tmp_path):
    root = Path(shutil.move(project, disk / "project"))
    runner = FlowRunner(root, prefect, repository, PREFECT_HOME=str(tmp_path / "prefect"))
    flow = runner.start(tmp_path / "log")
    wait_for_output(tmp_path / "log", "row 2")
    ballast = fill(disk)
    (root / "go.txt").touch()
    assert flow.wait(TIMEOUT) == 1
    assert "No space left on device" in (tmp_path / "log").read_text().splitlines()[-1]
    ballast.unlink()
    (root / "go.txt").touch()
    status, output = runner.run()
    assert status == 0, output
    assert steps_of(local(root)) == [10, 20, 30]


def test_a_missing_remote_loses_nothing_and_the_next_run_pushes(project, prefect, repository, tmp_path):
    (project / "go.txt").touch()
    remote = tmp_path / "remote"
    remote.write_text("not a folder yet")
    with (project / ".dvc" / "config").open("a") as config:
        config.write(f"    remote = store\n['remote \"store\"']\n    url = {remote}\n")
    runner = FlowRunner(project, prefect, repository)
    status, output = runner.run()
    assert status == 1
    assert output.splitlines()[-1].startswith("error: dvc push: ")
    assert steps_of(local(project)) == [10, 20, 30]
    remote.unlink()
    status, output = runner.run()
    assert status == 0, output
    assert "resumes after row" not in output
    assert list((remote / "files").rglob("*"))


def test_a_second_flow_waits_for_the_first(project, prefect, repository, tmp_path):
    runner = FlowRunner(project, prefect, repository)
    first = runner.start(tmp_path / "first")
    wait_for_output(tmp_path / "first", "row 2")
    second = runner.start(tmp_path / "second")
    wait_for_output(tmp_path / "second", f"locked by process {first.pid}; waiting until it ends")
    (project / "go.txt").touch()
    assert (first.wait(TIMEOUT), second.wait(TIMEOUT)) == (0, 0)
    assert "resumes after row" not in (tmp_path / "second").read_text()
    assert steps_of(local(project)) == [10, 20, 30]


WITH_TIMEOUT = """\
import sys
from functools import partial

from pipelines.reproduce import reproduce
from pipelines.run_locally import run_locally
from splitpose.errors import InputError

try:
    run_locally(partial(reproduce, stage_hours=20 / 3600))
except InputError as error:
    sys.exit(f"error: {error}")
"""


def test_a_hanging_stage_is_stopped_and_the_next_run_resumes(project, prefect, repository, remaining_processes):
    runner = FlowRunner(project, prefect, repository)
    status, output = runner.run(WITH_TIMEOUT)
    assert status == 1
    assert output.splitlines()[-1] == "error: fine_tune@plain-1: stopped because it took longer than 20 s"
    assert remaining_processes(project) == []
    (project / "go.txt").touch()
    status, output = runner.run()
    assert status == 0, output
    assert "resumes after row 2" in output
    assert steps_of(local(project)) == [10, 20, 30]
