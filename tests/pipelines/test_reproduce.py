import os
import signal
import sqlite3
import subprocess
import sys

import pytest
import toy_project

BROKEN = """\
stages:
  prepare:
    cmd: echo hello from the stage
  broken:
    cmd: "echo 'error: numbers.yaml: no such key' >&2; exit 3"
"""
ENDLESS = """\
stages:
  endless:
    cmd: echo started; sleep 300 & sleep 300
"""


@pytest.fixture
def environment(tmp_path, repository):
    """The environment of a flow whose Prefect keeps its files in a temporary folder."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    return {
        **kept,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "DVC_SITE_CACHE_DIR": str(tmp_path / "dvc"),
        "TOY_PROJECT": str(tmp_path / "project"),
        "PYTHONPATH": f"{repository}{os.pathsep}{repository / 'src'}",
    }


def start(root, environment):
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.reproduce"],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def in_prefect(tmp_path, query):
    with sqlite3.connect(tmp_path / "prefect" / "prefect.db") as database:
        return database.execute(query).fetchall()


def test_all_stages_run_and_the_table_is_shown(tmp_path, environment):
    root = toy_project.write(tmp_path / "project")
    flow = start(root, environment)
    output, _ = flow.communicate(timeout=120)
    assert flow.returncode == 0, output
    tasks = [name for (name,) in in_prefect(tmp_path, "select name from task_run order by start_time")]
    assert tasks[0] == "download"
    assert tasks[-2:] == ["report", "record"]
    assert len(tasks) == 13
    ((table,),) = in_prefect(tmp_path, "select data from artifact where key = 'comparison'")
    assert "| plain | 50.5 |" in table
    with sqlite3.connect(root / "mlflow.db") as database:
        runs = database.execute("select name, status from runs order by name").fetchall()
    assert runs == [("fast", "FINISHED"), ("plain", "FINISHED")]


def test_a_failing_stage_fails_the_flow_in_its_own_words(tmp_path, environment):
    flow = start(toy_project.write(tmp_path / "project", BROKEN), environment)
    output, _ = flow.communicate(timeout=60)
    assert flow.returncode == 1
    assert output.splitlines()[-1] == "error: broken: numbers.yaml: no such key"
    states = dict(in_prefect(tmp_path, "select name, state_name from task_run"))
    assert states == {"prepare": "Completed", "broken": "Failed"}
    ((message,),) = in_prefect(
        tmp_path,
        "select message from flow_run_state join flow_run on flow_run.state_id = flow_run_state.id",
    )
    assert "broken: numbers.yaml: no such key" in message
    assert "hello from the stage" in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_flow_leaves_no_process(tmp_path, environment, number, left_behind):
    root = toy_project.write(tmp_path / "project", ENDLESS)
    flow = start(root, environment)
    for line in flow.stdout:
        if line.rstrip().endswith("- started"):
            break
    assert len(left_behind(root)) > 3  # the flow, its server, DVC and the sleepers
    flow.send_signal(number)
    flow.communicate(timeout=30)
    assert flow.returncode != 0
    assert left_behind(root) == []
