import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support.night import kill_all_of, write
from support.servers import prefect_server


@pytest.fixture
def left_behind() -> Callable[[Path], list[str]]:
    """Gives the command lines of living processes whose environment names a toy project as TOY_PROJECT.

    Those that a kill is on its way to are given a moment.
    """

    def find(project: Path) -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("TOY_PROJECT") == str(project) and process.pid != psutil.Process().pid:
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:  # ended meanwhile, or a zombie
                continue
        return found

    def find_lasting(project: Path) -> list[str]:
        deadline = time.monotonic() + 1.0
        while (found := find(project)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    return find_lasting


@pytest.fixture(scope="module")
def prefect(tmp_path_factory):
    """Prefect's server."""
    with prefect_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture
def project(tmp_path):
    """A project in miniature (see `night`); a test that fails in the middle leaves nobody waiting."""
    yield write(tmp_path / "project")
    kill_all_of(tmp_path)
