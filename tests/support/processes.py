"""Functions that wait for a condition and list running processes."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def wait_for(condition: Callable[[], object], failure: str, seconds: float = 20) -> None:
    """Return as soon as a condition is true; fail with a message if it is not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, failure
        time.sleep(0.02)


def running_in(folder: Path) -> list[str]:
    """Return the command lines of the processes that contain a path in the folder."""
    command = ["ps", "-ww", "-eo", "args"]  # without -ww, lines are cut at 80 characters
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if f"{folder}/" in line]


def restore_sigint() -> None:
    """Let Ctrl-C interrupt a child process, as in a terminal; to be passed to Popen as `preexec_fn`.

    Tests that run in the background inherit an ignored SIGINT, and so do the processes that they start.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
