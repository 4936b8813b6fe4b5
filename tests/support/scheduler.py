"""`splitpose schedule` on a toy project."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import toy_project
from support.prefect_api import PrefectApi
from support.servers import free_port

TIMEOUT = 120.0
"""Seconds that a test waits for a condition."""


def wait_until(condition: Callable[[], Any], timeout: float = TIMEOUT) -> Any:
    """Wait until the condition is true, and return its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return value


@dataclass
class Scheduler:
    """A running `splitpose schedule`."""

    root: Path
    home: Path
    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def auth_string(self) -> str:
        return (self.home / "auth_string").read_text().strip()

    @property
    def api(self) -> PrefectApi:
        return PrefectApi(f"{self.url}/api", self.auth_string)


@contextmanager
def scheduler(folder: Path, repository: Path, pipeline: str, *options: str, **more: str) -> Iterator[Scheduler]:
    """Run `splitpose schedule` on a toy project whose dvc.yaml is `pipeline`, until the end of the context."""
    root = toy_project.write(folder / "project", pipeline)
    (root / "prefect.yaml").write_text((repository / "prefect.yaml").read_text())
    (root / "pipelines").symlink_to(repository / "pipelines")
    port = free_port()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    environment = {
        **inherited,
        "PREFECT_HOME": str(folder / "prefect"),
        "DVC_SITE_CACHE_DIR": str(folder / "dvc"),
        "TOY_PROJECT": str(root),
        **more,
    }
    log = folder / "log"
    with log.open("wb") as file:
        command = ["-m", "splitpose", "schedule", "--port", str(port), *options]
        process = subprocess.Popen(
            [sys.executable, *command], cwd=root, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    wait_until(lambda: "its password is" in log.read_text() or process.poll() is not None)
    assert process.poll() is None, log.read_text()
    yield Scheduler(root, folder / "prefect", f"http://127.0.0.1:{port}", process, log)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
