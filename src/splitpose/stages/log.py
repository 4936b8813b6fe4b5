"""Logging of a stage: messages for the user to the terminal, all output to the stage's log file.

Stages and library code log with `logging.getLogger(__name__)`. Messages of splitpose are shown on the terminal and
written to reports/logs/<stage>.log with their time; messages of other libraries, warnings, and what native code
(TensorFlow, XNNPACK, FFmpeg) writes to standard error, are only written to the file.
"""

import logging
import os
import sys
from pathlib import Path

from splitpose import paths
from splitpose.progress import console

STAGE_VARIABLE = "DVC_STAGE"
"""Environment variable in which DVC names the stage that it runs, for example evaluate@final."""


class ConsoleHandler(logging.Handler):
    """Prints messages to the console that progress bars use, so that they appear above a running bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        console.print(self.format(record), soft_wrap=True, markup=False, highlight=False)


def log_file() -> Path | None:
    """Return the log file of the stage that DVC runs in this process, None when DVC does not run it."""
    stage = os.environ.get(STAGE_VARIABLE)
    return paths.LOGS / f"{stage}.log" if stage else None


def redirect_native_output() -> None:
    """Redirect native code's standard error to the log file; Python's sys.stderr still writes to the terminal.

    Does nothing for a stage that DVC does not run.
    """
    path = log_file()
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    with path.open("w") as file:
        os.dup2(file.fileno(), 2)
    sys.stderr = terminal


def configure() -> None:
    """Show the messages of splitpose, and write those of all libraries to the log file if there is one."""
    logging.captureWarnings(True)
    for name in ("splitpose", "__main__"):  # the stage's own module is __main__
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        if not logger.handlers:
            logger.addHandler(ConsoleHandler())
    path = log_file()
    if path is not None:
        file = logging.FileHandler(path, mode="a", encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        root.addHandler(file)
        root.setLevel(logging.INFO)
        # These two loggers have their own handlers, which would also print every warning to the terminal.
        for name in ("tensorflow", "absl"):
            logging.getLogger(name).handlers.clear()
