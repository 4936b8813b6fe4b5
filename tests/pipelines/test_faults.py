"""What goes wrong in a night, with the real components: the next run ends well, nothing is lost or logged twice."""

import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow import MlflowClient
from support.night import PATIENCE, Night, kill_all_of, wait_for
from support.servers import mlflow_server


def steps_of(client: MlflowClient) -> list[int]:
    """Of the losses in the only run of the only variant."""
    (experiment,) = [one for one in client.search_experiments() if one.name.startswith("splitpose")]
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.tags["splitpose.origin"] == "trained"
    assert client.list_artifacts(run.info.run_id)
    return sorted(metric.step for metric in client.get_metric_history(run.info.run_id, "train_loss"))


def local(root: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{root}/mlflow.db")


def test_mlflow_gone_in_training_does_not_stop_it_and_the_run_is_completed(project, prefect, repository, tmp_path):
    (tmp_path / "mlflow").mkdir()
    with mlflow_server(tmp_path / "mlflow") as mlflow:
        uri = mlflow.health.removesuffix("/health")
        quick = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "PREFECT_TASKS_DEFAULT_RETRY_DELAY_SECONDS": "15"}
        night = Night(project, prefect, repository, MLFLOW_TRACKING_URI=uri, **quick)
        log = tmp_path / "log"
        flow = night.start(log)
        wait_for(log, "row 2")
        mlflow.kill()
        (project / "go.txt").touch()
        wait_for(log, "warning: MLflow does not follow this training any more")
        mlflow.start()
        assert flow.wait(PATIENCE) == 0, log.read_text()
        assert steps_of(MlflowClient(uri)) == [10, 20, 30]


def test_prefects_server_may_be_restarted_meanwhile(project, prefect, repository, tmp_path):
    night = Night(project, prefect, repository)
    log = tmp_path / "log"
    flow = night.start(log)
    wait_for(log, "row 2")
    prefect.kill()
    time.sleep(1)
    prefect.start()
    (project / "go.txt").touch()
    assert flow.wait(PATIENCE) == 0, log.read_text()
    assert steps_of(local(project)) == [10, 20, 30]


@pytest.mark.parametrize(
    ("words", "again"), [("row 2", "begins after row 2"), ("'convert@plain' - Finished", None)]
)
def test_a_machine_switched_off_goes_on_where_it_was(project, prefect, repository, tmp_path, words, again):
    night = Night(project, prefect, repository)
    log = tmp_path / "log"
    if again is None:
        (project / "go.txt").touch()
    night.start(log)
    wait_for(log, words)
    kill_all_of(project)
    (project / "go.txt").touch()
    status, words = night.run()
    assert status == 0, words
    assert (again is None) == ("begins after row" not in words)
    assert again is None or again in words
    assert steps_of(local(project)) == [10, 20, 30]


@pytest.fixture
def disk(tmp_path):
    """A disk of 16 MB."""
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


def test_a_full_disk_stops_the_run_and_room_mends_it(project, disk, prefect, repository, tmp_path):
    root = Path(shutil.move(project, disk / "project"))
    night = Night(root, prefect, repository, PREFECT_HOME=str(tmp_path / "prefect"))
    flow = night.start(tmp_path / "log")
    wait_for(tmp_path / "log", "row 2")
    ballast = fill(disk)
    (root / "go.txt").touch()
    assert flow.wait(PATIENCE) == 1
    assert "No space left on device" in (tmp_path / "log").read_text().splitlines()[-1]
    ballast.unlink()
    (root / "go.txt").touch()
    status, words = night.run()
    assert status == 0, words
    assert steps_of(local(root)) == [10, 20, 30]


def test_a_remote_that_is_gone_loses_nothing_and_the_next_run_pushes(project, prefect, repository, tmp_path):
    (project / "go.txt").touch()
    remote = tmp_path / "remote"
    remote.write_text("not a folder yet")
    with (project / ".dvc" / "config").open("a") as config:
        config.write(f"    remote = store\n['remote \"store\"']\n    url = {remote}\n")
    night = Night(project, prefect, repository)
    status, words = night.run()
    assert status == 1
    assert words.splitlines()[-1].startswith("error: dvc push: ")
    assert steps_of(local(project)) == [10, 20, 30]
    remote.unlink()
    status, words = night.run()
    assert status == 0, words
    assert "begins after row" not in words
    assert list((remote / "files").rglob("*"))


def test_of_two_flows_at_once_the_second_waits(project, prefect, repository, tmp_path):
    night = Night(project, prefect, repository)
    first = night.start(tmp_path / "first")
    wait_for(tmp_path / "first", "row 2")
    second = night.start(tmp_path / "second")
    wait_for(tmp_path / "second", f"locked by process {first.pid}; waiting until it ends")
    (project / "go.txt").touch()
    assert (first.wait(PATIENCE), second.wait(PATIENCE)) == (0, 0)
    assert "begins after row" not in (tmp_path / "second").read_text()
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


def test_a_stage_that_hangs_is_stopped_and_the_next_run_goes_on(project, prefect, repository, left_behind):
    night = Night(project, prefect, repository)
    status, words = night.run(WITH_TIMEOUT)
    assert status == 1
    assert words.splitlines()[-1] == "error: fine_tune@plain: stopped because it took longer than 20 s"
    assert left_behind(project) == []
    (project / "go.txt").touch()
    status, words = night.run()
    assert status == 0, words
    assert "begins after row 2" in words
    assert steps_of(local(project)) == [10, 20, 30]
