"""Waiting for processes, and looking for those that should be gone."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def wait_for(reached: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Return as soon as it is reached; fail saying `what` where it is not in time."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def running_in(folder: Path) -> list[str]:
    """Command lines of the processes that name a path in the folder."""
    unshortened = ["ps", "-ww", "-eo", "args"]  # without -ww, lines end at 80 characters, before a longer path does
    listed = subprocess.run(unshortened, capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if f"{folder}/" in line]
