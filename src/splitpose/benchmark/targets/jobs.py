"""What a browser's page is to measure, one file after the other, and what has come of it."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from splitpose.benchmark.targets import messages
from splitpose.benchmark.targets.target import Options

PATIENCE = 20.0
"""Seconds that a page waits for its next job before it has to ask again: some browsers give up after a minute."""

FAREWELL = 2.0
"""Seconds that a page which has done its job is given to ask for another, so that it hears that there is none."""

Outcome = messages.Found | messages.Failed | str
"""An answer, or what was wrong with it."""


@dataclass
class Job:
    """A file to be measured."""

    number: int
    name: str
    model: bytes
    options: Options
    done: int = 0
    outcome: Outcome | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def end(self, outcome: Outcome) -> None:
        """Let the command go on; what comes later is not heard."""
        if not self.ended.is_set():
            self.outcome = outcome
            self.ended.set()

    @property
    def content(self) -> dict[str, Any]:
        """What the page needs to know."""
        return {
            "number": self.number,
            "model": self.name,
            "threads": self.options.threads,
            "runs": self.options.runs,
            "warmup_runs": self.options.warmup_runs,
            "sustained_seconds": self.options.sustained_seconds,
        }


class Jobs:
    """The command adds jobs, the page waits for each of them; both are of different threads."""

    def __init__(self) -> None:
        self.latest: Job | None = None
        self.last_word = 0.0
        """When the page said something, or was given something to do; of time.monotonic."""
        self.is_over = False
        self.page_knows = threading.Event()
        """That it is over."""
        self._changed = threading.Condition()

    def add(self, name: str, model: bytes, options: Options) -> Job:
        """The next job; the one before has ended."""
        with self._changed:
            self.latest = Job(self.latest.number + 1 if self.latest else 1, name, model, options)
            self.last_word = time.monotonic()
            self._changed.notify_all()
            return self.latest

    @property
    def current(self) -> Job | None:
        """The job that has not ended yet."""
        return self.latest if self.latest and not self.latest.ended.is_set() else None

    def awaited(self) -> Job | None:
        """The current job as soon as there is one; None when it is over, or after PATIENCE."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_over or self.current, PATIENCE)
            return None if self.is_over else self.current

    def close(self) -> None:
        """There are no more; a page that has done the last one hears it."""
        with self._changed:
            self.is_over = True
            self._changed.notify_all()
        if self.latest and isinstance(self.latest.outcome, messages.Found):
            self.page_knows.wait(FAREWELL)
