import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from support import toy_project
from support.processes import restore_sigint

pytestmark = pytest.mark.integration

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


@pytest.fixture(scope="module")
def prefect_home(tmp_path_factory):
    """Prefect's files outside the project; shared by all tests, because creating the database takes seconds."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture
def environment(tmp_path, repository, prefect_home):
    """The environment of a flow."""
    names = ("PREFECT_", "MLFLOW_", "NO_PROXY", "no_proxy")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(names)}
    unreachable = "http://127.0.0.1:9"  # as behind a company's proxy, which does not serve loopback
    return {
        **inherited,
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"), unreachable),
        "PREFECT_HOME": str(prefect_home),
        "DVC_SITE_CACHE_DIR": str(tmp_path / "dvc"),
        "TOY_PROJECT": str(tmp_path / "project"),
        "PYTHONPATH": f"{repository}{os.pathsep}{repository / 'src'}",
    }


def start(root, environment, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "splitpose", "reproduce", *options],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=restore_sigint,
    )


def last_flow_run(prefect_home, query):
    """Return the rows of a query with the id of the last flow run as its parameter."""
    with sqlite3.connect(prefect_home / "prefect.db") as database:
        (run,) = database.execute("select id from flow_run order by created desc limit 1").fetchone()
        return database.execute(query, [run]).fetchall()


def git(root, *words):
    user = ["-c", "user.name=u", "-c", "user.email=u@localhost"]
    return subprocess.run(["git", *user, *words], cwd=root, check=True, capture_output=True, text=True).stdout


def test_all_stages_run_and_the_comparison_is_an_artifact(tmp_path, environment, prefect_home):
    root = toy_project.write(tmp_path / "project")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Code")
    user = {f"GIT_{role}_{key}": "u" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    flow = start(root, environment | user, "--commit")
    output, _ = flow.communicate(timeout=120)
    assert flow.returncode == 0, output
    task_names = "select name from task_run where flow_run_id = ? order by start_time"
    tasks = [name for (name,) in last_flow_run(prefect_home, task_names)]
    assert tasks[0] == "download"
    assert tasks[-2:] == ["report", "sync"]
    assert len(tasks) == 15
    ((table,),) = last_flow_run(
        prefect_home, "select data from artifact where key = 'comparison' and flow_run_id = ?"
    )
    assert "| plain | 50.5 |" in table
    with sqlite3.connect(root / "mlflow.db") as database:
        runs = database.execute("select name, status from runs order by name").fetchall()
    assert [(name.split()[0], status) for name, status in runs] == [("fast", "FINISHED"), ("plain", "FINISHED")]
    state = ["dvc.lock", "reports/benchmark/fast.json", "reports/benchmark/plain.json"]
    assert git(root, "show", "--name-only", "--format=%s").split("\n") == [
        "Results of splitpose reproduce",
        "",
        *state,
        "",
    ]


def test_a_failing_stage_fails_the_flow_with_its_own_message(tmp_path, environment, prefect_home):
    flow = start(toy_project.write(tmp_path / "project", BROKEN), environment)
    output, _ = flow.communicate(timeout=60)
    assert flow.returncode == 1
    assert "error: broken: numbers.yaml: no such key" in output.splitlines()
    task_query = "select name, state_name from task_run where flow_run_id = ?"
    states = dict(last_flow_run(prefect_home, task_query))
    assert states == {"prepare": "Completed", "broken": "Failed"}
    flow_query = "select message from flow_run_state s join flow_run f on f.state_id = s.id where f.id = ?"
    ((message,),) = last_flow_run(prefect_home, flow_query)
    assert "broken: numbers.yaml: no such key" in message
    assert "hello from the stage" in output


def ctrl_c(process):
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the server too


def terminate(process):
    process.terminate()


@pytest.mark.parametrize("cancel", [ctrl_c, terminate])
def test_a_cancelled_flow_leaves_no_process(tmp_path, environment, cancel, remaining_processes):
    root = toy_project.write(tmp_path / "project", ENDLESS)
    flow = start(root, environment)
    for line in flow.stdout:
        if line.rstrip().endswith("- started"):
            break
    assert len(remaining_processes(root)) > 3  # the flow, its server, DVC and the stage
    cancel(flow)
    flow.communicate(timeout=30)
    assert flow.returncode != 0
    assert remaining_processes(root) == []
