"""Several machines on a small scale: two workers, each in its own clone, train models for a coordinator."""

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient
from support import toy_project
from support.flow_runner import kill_processes, wait_for_output
from support.servers import BUCKET, s3_client

TRAIN = """\
import csv, shutil, sys
from splitpose.tracking import live_run

variant, repeat, history = sys.argv[1:]
print("training", variant, repeat, flush=True)
total = 0
for number in range(100_000_000):  # keeps a core busy, like a training
    total += number
with live_run(variant, int(repeat)) as log:
    for row in list(csv.DictReader(open("inputs/history.csv")))[1:]:
        log({key: int(value) if key == "iteration" else value for key, value in row.items()})
shutil.copy("inputs/history.csv", history)
"""
IGNORED = "/data/\n/models/\n/reports/\n"


@pytest.fixture
def origin(tmp_path, repository):
    """The project's git repository."""
    root = toy_project.write(tmp_path / "origin")
    (root / "train.py").write_text(TRAIN)
    (root / "prefect.yaml").write_text((repository / "prefect.yaml").read_text())
    (root / "pipelines").symlink_to(repository / "pipelines")
    (root / ".gitignore").write_text(IGNORED)
    (root / ".dvc" / ".gitignore").write_text("/tmp\n/cache\n/config.local\n")
    git(root, "init", "--quiet", "--initial-branch", "main")
    commit(root)
    return root


def git(root: Path, *words: str) -> None:
    identity = ["-c", "user.name=user", "-c", "user.email=user@example.com"]
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "new")


class Machine:
    """A clone of the project with its own environment, which represents a separate machine."""

    def __init__(self, origin: Path, name: str, repository: Path, services: dict[str, str]):
        self.root = origin.parent / name
        git(origin, "clone", "--quiet", str(origin), str(self.root))
        (self.root / ".dvc" / "config.local").write_text(
            f"[core]\n    remote = store\n['remote \"store\"']\n    url = s3://{BUCKET}/dvc\n"
        )
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
        self.environment = {
            **inherited,
            **services,
            "PREFECT_HOME": str(origin.parent / f"{name}-prefect"),
            "DVC_SITE_CACHE_DIR": str(origin.parent / f"{name}-dvc"),
            "TOY_PROJECT": str(self.root),
            "PYTHONPATH": f"{repository}{os.pathsep}{repository / 'src'}",
        }
        self.log = origin.parent / f"{name}.log"

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "splitpose", *words],
                cwd=self.root,
                env=self.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def start_worker(self) -> None:
        self.start("schedule")
        wait_for_output(self.log, "scheduled; runs are shown at")


@pytest.fixture
def machines(origin, repository, mlflow, prefect, s3, tmp_path):
    services = {"MLFLOW_TRACKING_URI": mlflow, "PREFECT_API_URL": prefect, **s3}
    yield [Machine(origin, name, repository, services) for name in ("coordinator", "first", "second")]
    kill_processes(tmp_path)


def distribute(coordinator: Machine) -> float:
    """Run the flow, and return its duration in seconds."""
    start = time.monotonic()
    status = coordinator.start("reproduce", "--distribute").wait(400)
    assert status == 0, coordinator.log.read_text()[-4000:]
    return time.monotonic() - start


def training_runs(prefect: str) -> list[tuple[datetime, datetime]]:
    """Return start and end of the last two runs of workers."""
    body = {"flows": {"name": {"any_": ["train"]}}, "sort": "START_TIME_DESC", "limit": 2}
    runs = requests.post(f"{prefect}/flow_runs/filter", json=body, timeout=10).json()
    assert [run["state_name"] for run in runs] == ["Completed", "Completed"]
    return sorted(tuple(datetime.fromisoformat(run[key]) for key in ("start_time", "end_time")) for run in runs)


def test_two_workers_share_variants_and_repeats_and_the_coordinator_reports(
    origin, machines, mlflow, prefect, s3, password, capsys
):
    coordinator, first, second = machines
    first.start_worker()
    alone = distribute(coordinator)
    (_, ended), (began, _) = training_runs(prefect)
    assert began >= ended  # one worker trains two variants one after the other

    # Two repeats of one variant, each trained again because of the iterations.
    profile, params, selection = (
        origin / name for name in ("profiles/tiny.yaml", "params.yaml", "inputs/selection.json")
    )
    profile.write_text(profile.read_text().replace("iterations: 20", "iterations: 21"))
    params.write_text("profile: tiny\nrepeats: [1, 2]\nvariants: {plain: {}}\n")
    result = toy_project.SELECTION["repeats"]["1"]
    selection.write_text(json.dumps({"selected": 1, "repeats": {"1": result, "2": result}}))
    commit(origin)
    for machine in machines:
        git(machine.root, "pull", "--quiet")
    second.start_worker()
    together = distribute(coordinator)
    (_, ended), (began, _) = training_runs(prefect)
    assert began < ended
    with capsys.disabled():
        print(f"\ntwo trainings: one worker {alone:.0f} s, two {together:.0f} s, ratio {alone / together:.2f}")

    logs = [machine.log.read_text() for machine in machines]
    trained = [log.count("- training") for log in logs]
    assert trained[0] == 0 and sum(trained) == 4 and trained[2] == 1
    assert ["Running stage 'benchmark@plain'" in log for log in logs] == [True, False, False]
    assert "| plain | 50.5 |" in (coordinator.root / "reports" / "comparison.md").read_text()

    store = MlflowClient(mlflow)
    (experiment,) = [found for found in store.search_experiments() if found.name == "splitpose-tiny"]
    runs = store.search_runs([experiment.experiment_id])
    assert sorted(run.data.tags["splitpose.variant"] for run in runs) == ["fast", "plain", "plain"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.tags["splitpose.origin"] for run in runs} == {"trained"}
    for run in runs:
        prefixes = ["", "repeat_1/", "repeat_2/"] if run.data.params["repeats"] == "[1, 2]" else [""]
        for prefix in prefixes:
            losses = store.get_metric_history(run.info.run_id, f"{prefix}train/loss")
            assert sorted(loss.step for loss in losses) == [10, 20, 30]
    keys = [item["Key"] for item in s3_client(s3).list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert any(key.startswith("dvc/runs/") for key in keys)
    assert any(key.endswith("models/plain/int8.tflite") for key in keys)
    for log in logs:
        assert password not in log
        assert "warning: MLflow" not in log


def test_a_clone_at_another_commit_is_an_error(origin, machines):
    coordinator, first, _ = machines
    first.start_worker()
    (origin / "train.py").write_text(TRAIN + "# another\n")
    commit(origin)
    git(coordinator.root, "pull", "--quiet")
    assert coordinator.start("reproduce", "--distribute").wait(200) == 1
    last = coordinator.log.read_text().splitlines()[-1]
    assert last.startswith("error: plain-1: ") and "is at commit" in last and "check it out" in last
