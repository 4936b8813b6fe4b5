"""Queue of the files that a browser measures, one after the other."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from splitpose.benchmark.targets import messages
from splitpose.benchmark.targets.target import BenchmarkOptions

LONG_POLL_SECONDS = 20.0
"""Maximum time that a request for the next job stays open; some browsers abort requests after a minute."""

CLOSE_SECONDS = 2.0
"""Maximum time to wait, on closing, until the page has requested another job and learned that there is none."""

Outcome = messages.JobResult | messages.JobFailure | str
"""The page's message at the end of a job, or the reason why its message is invalid."""


@dataclass
class Job:
    """A file to measure, and the progress of its measurement."""

    number: int
    name: str
    model: bytes
    options: BenchmarkOptions
    completed_runs: int = 0
    outcome: Outcome | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def end(self, outcome: Outcome) -> None:
        """Set the outcome and wake the waiting command; later outcomes are ignored."""
        if not self.ended.is_set():
            self.outcome = outcome
            self.ended.set()

    def as_message(self) -> dict[str, Any]:
        """Return the JSON that describes the job to the page."""
        return {
            "number": self.number,
            "model": self.name,
            "threads": self.options.threads,
            "runs": self.options.runs,
            "warmup_runs": self.options.warmup_runs,
            "sustained_seconds": self.options.sustained_seconds,
        }


class Jobs:
    """Queue to which the command adds jobs in one thread, while the page's requests wait for them in others."""

    def __init__(self) -> None:
        self.latest: Job | None = None
        self.last_activity = 0.0
        """Time of the page's last message or of the last added job, by time.monotonic."""
        self.is_closed = False
        self.page_informed = threading.Event()
        """Set once the page has learned that there are no more jobs."""
        self._changed = threading.Condition()

    def add(self, name: str, model: bytes, options: BenchmarkOptions) -> Job:
        """Add and return the next job; the previous one must have ended."""
        with self._changed:
            self.latest = Job(self.latest.number + 1 if self.latest else 1, name, model, options)
            self.last_activity = time.monotonic()
            self._changed.notify_all()
            return self.latest

    @property
    def current(self) -> Job | None:
        """The job that has not ended yet."""
        return self.latest if self.latest and not self.latest.ended.is_set() else None

    def wait(self) -> Job | None:
        """Wait for the current job; return None if the queue is closed or after LONG_POLL_SECONDS."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_closed or self.current, LONG_POLL_SECONDS)
            return None if self.is_closed else self.current

    def close(self) -> None:
        """Close the queue; if the page has completed the last job, wait until it has learned of it."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()
        if self.latest and isinstance(self.latest.outcome, messages.JobResult):
            self.page_informed.wait(CLOSE_SECONDS)
