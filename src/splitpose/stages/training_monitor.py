"""Progress bar, log and MLflow run of a training phase, stop by signals; none of them influences the result."""

import logging
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.progress import Progress

from splitpose.evaluation.training_history import HistoryRow
from splitpose.progress import bar
from splitpose.settings import RunConfig
from splitpose.tracking import live_run
from splitpose.training.phase import PhaseConfig, TrainingListener

logger = logging.getLogger(__name__)


class ProgressListener(TrainingListener):
    """Updates a progress bar after each iteration and logs each validation step."""

    def __init__(self, progress: Progress, title: str, phase: PhaseConfig):
        self.progress, self.title, self.phase = progress, title, phase
        self.task = progress.add_task(title, total=phase.settings.iterations)

    def on_iteration(self, iteration: int, loss: float) -> None:
        """Update the progress bar."""
        self.progress.update(self.task, completed=iteration - self.phase.first_iteration)

    def on_validation(self, row: HistoryRow) -> None:
        """Log the losses and the PCK."""
        logger.info(
            "%s: iteration %d, train loss %.3g, val loss %.3g, val PCK@0.2 %.1f%s",
            self.title,
            row["iteration"],
            row["train_loss"],
            row["val_loss"],
            row["val_pck_0.2"],
            " (averaged weights)" if row["averaged"] else "",
        )


class MlflowListener(TrainingListener):
    """Logs each validation step to the variant's MLflow run."""

    def __init__(self, log_row: Callable[[Mapping[str, Any]], None]):
        self.log_row = log_row

    def on_validation(self, row: HistoryRow) -> None:
        """Log the row."""
        self.log_row(row)


@contextmanager
def monitor_training(
    config: RunConfig, phase: PhaseConfig
) -> Iterator[tuple[Sequence[TrainingListener], Callable[[], bool]]]:
    """In this context, show a progress bar, log to MLflow and handle stop signals for a training phase.

    Yields:
        The listeners of the training loop, and a function that returns whether training should stop.
    """
    with (
        bar("crops", phase.training.batch_size) as progress,
        live_run(config.variant, config.repeat) as log_row,
        stop_on_signal() as should_stop,
    ):
        listeners = [ProgressListener(progress, f"{config.title}: {phase.name}", phase), MlflowListener(log_row)]
        yield listeners, should_stop


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether SIGTERM or SIGINT (Ctrl-C) was received.

    A second signal of the same kind has its default effect and ends the process at once.
    """
    received: list[int] = []
    previous: dict[int, Any] = {}

    def handle(number: int, frame: Any) -> None:
        received.append(number)
        signal.signal(number, previous[number])

    for stop_signal in (signal.SIGINT, signal.SIGTERM):
        previous[stop_signal] = signal.signal(stop_signal, handle)
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
