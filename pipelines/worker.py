"""The worker of `splitpose schedule`: it is restarted if it ends, and the monitor checks the runs meanwhile."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from subprocess import Popen

import httpx

from pipelines.monitor import Monitor
from splitpose.errors import InputError

CHECK_INTERVAL = 5.0
"""Seconds between two checks of the monitor."""
POLL_INTERVAL = 0.5
"""Seconds between two checks whether the worker is running."""
MAX_RESTARTS, RESTART_PERIOD = 5, 3600.0
"""Restarts within this number of seconds after which the worker is given up: the cause is not a single fault."""
RESTART_DELAY = 5.0
"""Seconds before a restart."""


def supervise(
    start: Callable[[], AbstractContextManager["Popen[bytes]"]],
    monitor: Monitor,
    log: Callable[[str], None],
    max_restarts: int = MAX_RESTARTS,
    restart_delay: float = RESTART_DELAY,
) -> None:
    """Run a worker until a signal ends this process; restart the worker if it ends.

    Args:
        start: starts a worker, and stops it at the end of the context.
        monitor: checks the runs while the worker is running.
        log: receives a line about each restart.
        max_restarts: number of restarts within RESTART_PERIOD.
        restart_delay: seconds before a restart.

    Raises:
        InputError: the worker has ended too often; this is also posted to the webhook.
    """
    restarts: deque[float] = deque(maxlen=max_restarts)
    watcher = _Watcher(monitor, log)
    while True:
        with start() as worker:
            while worker.poll() is None:
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


class _Watcher:
    """Calls the monitor regularly, also after errors of the server."""

    def __init__(self, monitor: Monitor, log: Callable[[str], None]):
        self.monitor, self.log = monitor, log
        self.next_check = 0.0
        self.is_reachable = True

    def check(self) -> None:
        """Let the monitor check the runs if it is time to."""
        if time.monotonic() < self.next_check:
            return
        try:
            self.monitor.check()
            if not self.is_reachable:
                self.log("the Prefect server answers again")
            self.is_reachable = True
        except httpx.HTTPError as error:
            self._failed(error)
        self.next_check = time.monotonic() + CHECK_INTERVAL

    def report(self, name: str, text: str) -> None:
        """Post an alert."""
        try:
            self.monitor.report(f"{name}-{time.time():.0f}", name, text)
        except httpx.HTTPError as error:
            self._failed(error)

    def _failed(self, error: httpx.HTTPError) -> None:
        """Log the first of several errors of the server."""
        self.monitor.restart()
        if self.is_reachable:
            self.log(f"the Prefect server does not answer ({type(error).__name__}); alerts wait for it")
        self.is_reachable = False
