"""One flow at a time in a workspace."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK = 1.0
"""Seconds between two looks whether a workspace is free."""


@contextmanager
def held(root: Path, log: Callable[[str], None]) -> Iterator[None]:
    """Hold the workspace `root` for this process; waits, and says so, while another process holds it.

    The system gives it back when the process ends, in whatever way.
    """
    path = root / ".dvc" / "tmp" / "flow.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        told = False
        while not _take(file.fileno()):
            if not told:
                file.seek(0)
                log(f"{root}: waits for process {file.read().strip()}, which works here")
            told = True
            time.sleep(LOOK)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _take(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
