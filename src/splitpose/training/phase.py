"""Settings, data and control of a training phase."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from splitpose.evaluation.training_history import HistoryRow
from splitpose.settings import Phase, Training
from splitpose.training.checkpoint import Checkpoint

PhaseName = Literal["frozen", "fine_tune"]


@dataclass(frozen=True)
class PhaseConfig:
    """The settings of a phase."""

    name: PhaseName
    training: Training
    first_iteration: int = 0
    """Number of iterations of the previous phases."""

    @property
    def settings(self) -> Phase:
        """The settings that are specific to this phase."""
        settings: Phase = getattr(self.training, self.name)
        return settings

    @property
    def validation_interval(self) -> int:
        """Iterations between two validation steps."""
        return min(self.training.validation_interval, self.settings.iterations)

    @property
    def iterations(self) -> int:
        """Iterations of the phase, rounded up to a multiple of the validation interval."""
        return math.ceil(self.settings.iterations / self.validation_interval) * self.validation_interval


@dataclass(frozen=True)
class ValidationCrops:
    """The crops of the validation split."""

    pixels: np.ndarray
    """(N, S, S, 3) uint8 RGB."""
    joints: np.ndarray
    """(N, K, 2) crop px, NaN where not annotated."""


@dataclass(frozen=True)
class TrainingData:
    """The data of a phase."""

    batches: Callable[[int], Iterable[Any]]
    """Returns infinite batches of crops and joints that begin at a position; the first batch has position 0."""
    validation: ValidationCrops


class TrainingListener:
    """Receives events of the training loop, for display and logging; it cannot influence the result."""

    def on_iteration(self, iteration: int, loss: float) -> None:
        """Handle the end of an iteration; `loss` is the mean since the last validation step."""

    def on_validation(self, row: HistoryRow) -> None:
        """Handle the end of a validation step."""


@dataclass(frozen=True)
class TrainingControl:
    """Listeners, checkpoint and stop request of a phase, none of which influences its result."""

    listeners: Sequence[TrainingListener] = ()
    checkpoint: Checkpoint | None = None
    should_stop: Callable[[], bool] = lambda: False
    """Called after every iteration; training stops if it returns True."""
