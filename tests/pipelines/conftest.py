import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support.flow_runner import kill_processes, write
from support.servers import prefect_server


@pytest.fixture
def remaining_processes() -> Callable[[Path], list[str]]:
    """Return a function that lists the command lines of processes of a toy project (by the variable TOY_PROJECT).

    It waits up to a second for processes that have been killed.
    """

    def find(project: Path) -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("TOY_PROJECT") == str(project) and process.pid != psutil.Process().pid:
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:  # ended in the meantime, or a zombie
                continue
        return found

    def find_remaining(project: Path) -> list[str]:
        deadline = time.monotonic() + 1.0
        while (found := find(project)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    return find_remaining


@pytest.fixture(scope="session")
def prefect(tmp_path_factory):
    """A Prefect server that the modules with flow runs share; a test that stops it starts it again."""
    with prefect_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture(scope="session")
def shared_prefect(tmp_path_factory):
    """A Prefect server that several modules share, whose tests delete what they create and do not stop it."""
    with prefect_server(tmp_path_factory.mktemp("shared_prefect")) as server:
        yield server


@pytest.fixture
def project(tmp_path):
    """A small project (see `flow_runner`); its processes are killed after the test."""
    yield write(tmp_path / "project")
    kill_processes(tmp_path)
