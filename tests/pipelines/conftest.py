from collections.abc import Callable
from pathlib import Path

import psutil
import pytest


@pytest.fixture
def left_behind() -> Callable[[Path], list[str]]:
    """Gives the command lines of living processes whose environment names a toy project as TOY_PROJECT."""

    def find(project: Path) -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("TOY_PROJECT") == str(project) and process.pid != psutil.Process().pid:
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:  # ended meanwhile, or a zombie
                continue
        return found

    return find
