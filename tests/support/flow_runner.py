"""Flow runs of a miniature project, each in its own process, whose output is written to a log."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from support import toy_project
from support.servers import Server

TRAIN = """\
import csv, pathlib, sys, time
from splitpose.tracking import live_run

variant, repeat, history = sys.argv[1:]
rows = list(csv.DictReader(open("inputs/history.csv")))
checkpoint = pathlib.Path("checkpoint.txt")
done = int(checkpoint.read_text()) if checkpoint.exists() else 0
print("resumes after row", done, flush=True)
with live_run(variant, int(repeat)) as log:
    for number, row in list(enumerate(rows, 1))[done:]:
        log({key: int(value) if key == "iteration" else value for key, value in row.items()})
        checkpoint.write_text(str(number))
        print("row", number, flush=True)
        while number == 2 and not pathlib.Path("go.txt").exists():
            time.sleep(0.05)
    pathlib.Path(history).write_text(open("inputs/history.csv").read())
checkpoint.unlink()
"""
PARAMS = "profile: tiny\nrepeats: [1]\nvariants:\n  plain: {}\n"
TIMEOUT = 90.0
"""Seconds that a test waits for a line of output or the end of a flow."""


def write(root: Path) -> Path:
    """Write a project with one variant whose training pauses after row 2 until go.txt exists."""
    toy_project.write(root)
    (root / "params.yaml").write_text(PARAMS)
    (root / "train.py").write_text(TRAIN)
    return root


class FlowRunner:
    """Starts flow runs of a project against a Prefect server."""

    def __init__(self, root: Path, prefect: Server, repository: Path, **more: str):
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
        self.root = root
        self.environment = {
            **inherited,
            "PREFECT_API_URL": prefect.health.removesuffix("/health"),
            "PREFECT_HOME": str(root.parent / "prefect"),
            "PREFECT_TASKS_DEFAULT_RETRY_DELAY_SECONDS": "1",
            "DVC_SITE_CACHE_DIR": str(root.parent / "dvc"),
            "TOY_PROJECT": str(root),
            "PYTHONPATH": f"{repository}{os.pathsep}{repository / 'src'}",
            **more,
        }

    def start(self, log: Path, *code: str) -> "subprocess.Popen[bytes]":
        """Start `splitpose reproduce`, or Python code; the output goes to `log`."""
        command = ["-m", "splitpose", "reproduce"] if not code else ["-c", *code]
        with log.open("wb") as file:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=self.root,
                env=self.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *code: str) -> tuple[int, str]:
        """Run `splitpose reproduce`, or Python code; return the exit status and the output."""
        log = Path(self.environment["PREFECT_HOME"]).with_suffix(".log")
        flow = self.start(log, *code)
        return flow.wait(TIMEOUT), log.read_text()


def kill_processes(folder: Path) -> None:
    """Kill the processes of projects below a folder, as if the machine was switched off."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("TOY_PROJECT", "").startswith(str(folder)):
                process.kill()


def wait_for_output(log: Path, text: str) -> None:
    """Wait until the log contains the text."""
    deadline = time.monotonic() + TIMEOUT
    while text not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
