"""Keras callbacks of the training loop: iteration count, checkpoints and validation steps.

In every iteration they run in this order: `IterationCallback`, `BackupCallback`, `ValidationCallback`. They share
the phase's `TrainingState`.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from splitpose.codecs import Codec
from splitpose.errors import InputError
from splitpose.evaluation.pck import normalised_errors, pck
from splitpose.evaluation.training_history import HistoryRow
from splitpose.models.predict import predict
from splitpose.training.checkpoint import TrainingState
from splitpose.training.phase import PhaseConfig, TrainingControl, TrainingListener, ValidationCrops
from splitpose.training.schedule import is_plateau

logger = logging.getLogger(__name__)

CHECKPOINT_INTERVAL_S = 45.0
"""Seconds between two checkpoints; with the duration of an iteration and of the writing, at most a minute
of work is lost."""


class NonFiniteLossError(InputError):
    """The training loss is NaN or infinite; `position` is the index of its batch in the phase."""

    def __init__(self, message: str, position: int):
        super().__init__(message)
        self.position = position


class TrainingStopped(KeyboardInterrupt):
    """Training was stopped on request, after its state was written to the checkpoint."""


@dataclass(frozen=True)
class Validator:
    """Computes validation loss and PCK."""

    codec: Codec
    loss: Callable[[Any, Any], Any]
    crops: ValidationCrops

    def evaluate(self, model: keras.Model) -> tuple[float, float]:
        """Return the mean loss and the mean PCK@0.2 (percent) of the model."""
        outputs = predict(model, self.crops.pixels)
        losses = ops.convert_to_numpy(self.loss(self.crops.joints, outputs))
        errors = normalised_errors(self.crops.joints, self.codec.decode(outputs))
        return float(np.mean(losses)), float(np.nanmean(pck(errors, 0.2)))


class IterationCallback(keras.callbacks.Callback):
    """Counts iterations, notifies listeners and ends training if the loss is NaN or infinite."""

    def __init__(self, phase: PhaseConfig, state: TrainingState, listeners: Sequence[TrainingListener]):
        super().__init__()
        self.phase, self.state, self.listeners = phase, state, listeners

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Count the iteration and check the loss."""
        self.state.done += 1
        self.state.train_loss = float((logs or {})["loss"])
        iteration = self.phase.first_iteration + self.state.done
        if not math.isfinite(self.state.train_loss):
            message = (
                f"training: the loss is {self.state.train_loss} at iteration {iteration}; lower the learning rate"
            )
            raise NonFiniteLossError(message, self.state.done - 1)
        for listener in self.listeners:
            listener.on_iteration(iteration, self.state.train_loss)


class BackupCallback(keras.callbacks.Callback):
    """Writes a checkpoint before each validation step, at regular intervals, and before a requested stop."""

    def __init__(self, phase: PhaseConfig, state: TrainingState, control: TrainingControl):
        super().__init__()
        self.phase, self.state, self.control = phase, state, control
        self.saved_at = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Write a checkpoint if one is due; end training if requested."""
        stopping = self.control.should_stop()
        validation_due = self.state.done % self.phase.validation_interval == 0
        if stopping or validation_due or time.monotonic() - self.saved_at > CHECKPOINT_INTERVAL_S:
            self._save()
        if stopping:
            iteration = self.phase.first_iteration + self.state.done
            raise TrainingStopped(f"stopped on request after iteration {iteration}; the next run resumes there")

    def _save(self) -> None:
        self.saved_at = time.monotonic()
        if self.control.checkpoint is None:
            return
        variables = [ops.convert_to_numpy(variable) for variable in training_variables(self.model)]
        try:
            self.control.checkpoint.write(self.state, variables)
        except OSError as error:
            reason = error.strerror or str(error)
            logger.warning("warning: no checkpoint could be written (%s); training continues", reason)


class ValidationCallback(keras.callbacks.Callback):
    """Runs the validation steps: keeps the best weights and reduces the learning rate on plateaus.

    A validation step evaluates the weights and their exponential moving average; the better of the two counts.
    """

    def __init__(
        self,
        phase: PhaseConfig,
        state: TrainingState,
        validator: Validator,
        listeners: Sequence[TrainingListener],
    ):
        super().__init__()
        self.phase, self.state, self.validator, self.listeners = phase, state, validator, listeners

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Run a validation step if one is due."""
        if self.is_due():
            self.validate()

    def is_due(self) -> bool:
        """Return whether there have been fewer validation steps than the iterations require."""
        return self.state.done // self.phase.validation_interval > len(self.state.rows)

    def validate(self) -> None:
        """Run a validation step."""
        model, rows = self.model, self.state.rows
        candidates = [(self._row(averaged=False), model.get_weights())]
        if self.phase.training.ema_decay > 0:
            model.optimizer.finalize_variable_values(model.trainable_variables)  # assigns the averages
            candidates.append((self._row(averaged=True), model.get_weights()))
            model.set_weights(candidates[0][1])
        row, weights = max(candidates, key=lambda candidate: _rank(candidate[0]))
        if all(_rank(row) > _rank(earlier) for earlier in rows):
            self.state.best_weights = weights
        rows.append(row)
        losses = [row["val_loss"] for row in rows]
        if self.phase.settings.schedule == "plateau" and is_plateau(losses, self.phase.training.plateau_patience):
            model.optimizer.learning_rate = row["learning_rate"] / 2
        model.reset_metrics()
        for listener in self.listeners:
            listener.on_validation(row)

    def _row(self, averaged: bool) -> HistoryRow:
        val_loss, val_pck = self.validator.evaluate(self.model)
        return {
            "phase": self.phase.name,
            "iteration": self.phase.first_iteration + self.state.done,
            "train_loss": self.state.train_loss,
            "val_loss": val_loss,
            "val_pck_0.2": val_pck,
            "learning_rate": float(ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            "averaged": averaged,
        }


class RunningLossCallback(keras.callbacks.Callback):
    """Restores the running training loss of a resumed phase, which `fit` resets at its beginning."""

    def __init__(self, values: Sequence[np.ndarray]):
        super().__init__()
        self.values = values

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Assign the values after the reset."""
        for variable, value in zip(self.model.metrics_variables, self.values, strict=False):
            variable.assign(value)


def training_variables(model: keras.Model) -> list[Any]:
    """Return the variables that, together with its batch, determine the next iteration."""
    return [*model.variables, *model.optimizer.variables, *model.metrics_variables]


def _rank(row: HistoryRow) -> tuple[float, float]:
    """Return the sort key of a validation step; higher PCK is better, with equal PCK lower loss; NaN is worst."""
    score, loss = row["val_pck_0.2"], row["val_loss"]
    return -math.inf if math.isnan(score) else score, -math.inf if math.isnan(loss) else -loss
