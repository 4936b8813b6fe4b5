"""The worker of `splitpose schedule`: it is restarted if it ends, and the monitor checks the runs meanwhile."""

import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from subprocess import Popen

import httpx
import psutil

from pipelines.monitor import Monitor, post_directly
from pipelines.server import SHUTDOWN_TIMEOUT
from splitpose.errors import ExternalServiceError, InputError

CHECK_INTERVAL = 5.0
"""Seconds between two checks of the monitor."""
POLL_INTERVAL = 0.5
"""Seconds between two checks whether the worker is running."""
MAX_RESTARTS, RESTART_PERIOD = 5, 3600.0
"""Restarts within this number of seconds after which the worker is given up: the cause is not a single fault."""
RESTART_DELAY = 5.0
"""Seconds before a restart."""
SERVER_TIMEOUT = 60.0
"""Seconds after which a server that does not answer is reported."""


def supervise(
    start: Callable[[], AbstractContextManager["Popen[bytes]"]],
    monitor: Monitor,
    log: Callable[[str], None],
    own_server: bool = False,
    max_restarts: int = MAX_RESTARTS,
    restart_delay: float = RESTART_DELAY,
) -> None:
    """Run a worker until a signal ends this process; restart the worker if it ends.

    Args:
        start: starts a worker, and stops it at the end of the context.
        monitor: checks the runs while the worker is running.
        log: receives a line about each restart.
        own_server: the Prefect server belongs to this process, so that it ends if the server does not answer.
        max_restarts: number of restarts within RESTART_PERIOD.
        restart_delay: seconds before a restart.

    Raises:
        InputError: the worker has ended too often, or our own server does not answer; this is also posted to the
            webhook.
    """
    restarts: deque[float] = deque(maxlen=max_restarts)
    watcher = _Watcher(monitor, log, own_server)
    with _stopped_at_the_end() as runs:
        while True:
            with start() as worker:
                while worker.poll() is None:
                    runs |= _children(worker.pid)
                    watcher.check()
                    time.sleep(POLL_INTERVAL)
            ended = f"the worker ended with status {worker.returncode}"
            now = time.monotonic()
            given_up = not max_restarts or (len(restarts) == max_restarts and now - restarts[0] < RESTART_PERIOD)
            consequence = "it is not restarted again" if given_up else f"it is restarted in {restart_delay:g} s"
            watcher.report("worker", f"{ended}; {consequence}")
            if given_up:
                raise InputError(f"{ended}, after {max_restarts} restarts within an hour; see its last lines above")
            log(f"{ended}; {consequence}")
            restarts.append(now)
            time.sleep(restart_delay)


@contextmanager
def _stopped_at_the_end() -> Iterator[set[psutil.Process]]:
    """Yield a set for the processes of runs; stop those that a killed worker has left at the end of the context."""
    runs: set[psutil.Process] = set()
    try:
        yield runs
    finally:
        for process in runs:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, alive = psutil.wait_procs(runs, SHUTDOWN_TIMEOUT)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _children(pid: int) -> set[psutil.Process]:
    """Return the processes that a process has started and that are running."""
    try:
        return set(psutil.Process(pid).children())
    except psutil.NoSuchProcess:
        return set()


class _Watcher:
    """Calls the monitor regularly, also after errors of the server."""

    def __init__(self, monitor: Monitor, log: Callable[[str], None], own_server: bool):
        self.monitor, self.log, self.own_server = monitor, log, own_server
        self.next_check = 0.0
        self.silent_since: float | None = None
        """Time at which the server answered no longer (`time.monotonic`); None if it answers."""
        self.is_reported = False

    def check(self) -> None:
        """Let the monitor check the runs if it is time to. Raises InputError if our own server has ended."""
        if time.monotonic() < self.next_check:
            return
        try:
            self.monitor.check()
        except httpx.HTTPError as error:
            self._failed(error)
        else:
            if self.silent_since is not None:
                self.log("the Prefect server answers again")
            self.silent_since, self.is_reported = None, False
        self.next_check = time.monotonic() + CHECK_INTERVAL

    def report(self, name: str, text: str) -> None:
        """Post an alert."""
        try:
            self.monitor.report(f"{name}-{time.time():.0f}", name, text)
        except httpx.HTTPError as error:
            self._failed(error)

    def _failed(self, error: httpx.HTTPError) -> None:
        """Log the first of several errors of the server, and report it after SERVER_TIMEOUT."""
        self.monitor.restart()
        if self.silent_since is None:
            self.silent_since = time.monotonic()
            self.log(f"the Prefect server does not answer ({type(error).__name__})")
        if self.is_reported or time.monotonic() - self.silent_since < SERVER_TIMEOUT:
            return
        self.is_reported = True
        text = f"{socket.gethostname()}: the Prefect server has not answered for {SERVER_TIMEOUT:g} s"
        try:
            post_directly("server", text)
        except ExternalServiceError as failure:
            self.log(str(failure))
        if self.own_server:
            raise InputError(f"{text}; see its last lines above, and start again")
