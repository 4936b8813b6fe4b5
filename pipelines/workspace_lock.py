"""A lock that lets one flow at a time work in a workspace."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_INTERVAL = 1.0
"""Seconds between two attempts to take the lock."""


@contextmanager
def workspace_lock(root: Path, log: Callable[[str], None]) -> Iterator[None]:
    """Lock the workspace `root` for this process; log one line and wait while another process holds the lock.

    The operating system releases the lock when the process ends, however it ends.
    """
    path = root / ".dvc" / "tmp" / "flow.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        waiting = False
        while not _try_lock(file.fileno()):
            if not waiting:
                file.seek(0)
                log(f"{root}: locked by process {file.read().strip()}; waiting until it ends")
            waiting = True
            time.sleep(POLL_INTERVAL)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _try_lock(descriptor: int) -> bool:
    """Take the lock of an open file; return False if another process holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
