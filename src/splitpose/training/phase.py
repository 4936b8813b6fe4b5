"""One training phase: iterations of Adam, looks at the validation people, the best weights kept, nothing lost."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from splitpose.codecs import Codec
from splitpose.errors import InputError
from splitpose.evaluation.pck import normalised_errors, pck
from splitpose.settings import Phase, Training, VariantOverride
from splitpose.training.checkpoint import Checkpoint, Saved
from splitpose.training.loss import joint_loss

Row = dict[str, Any]
"""One look: phase, iteration, train_loss (mean since the look before), val_loss, val_pck_0.2, learning_rate,
averaged (whether the weights looked at are the moving averages)."""

CHECKPOINT_EVERY = 45.0
"""Seconds between two checkpoints; with a step and the writing, less than a minute's work is ever lost."""


class LossError(InputError):
    """The loss is no number any more; `position` is that of its batch, from 0, in the phase."""

    def __init__(self, message: str, position: int):
        super().__init__(message)
        self.position = position


class Stopped(KeyboardInterrupt):
    """Training was asked to stop, and has; what it had done is in the checkpoint."""


@dataclass(frozen=True)
class Watcher:
    """Who is told how training goes; changes nothing. A note is a line on what else happens."""

    step: Callable[[int, float], None] = lambda iteration, loss: None
    look: Callable[[Row], None] = lambda row: None
    note: Callable[[str], None] = lambda line: None


@dataclass(frozen=True)
class People:
    """Crops of the validation people: pixels (N, S, S, 3) uint8 RGB and joints (N, K, 2) crop px."""

    pixels: np.ndarray
    joints: np.ndarray


def settings_for(training: Training, name: Literal["frozen", "fine_tune"], override: VariantOverride) -> Phase:
    """The phase's settings with what the variant sets differently put in."""
    phase: Phase = getattr(training, name)
    return phase.model_copy(update=getattr(override, name).model_dump(exclude_none=True))


def run(
    model: keras.Model,
    codec: Codec,
    batches: Callable[[int], Iterable[Any]],
    validation: People,
    name: str,
    settings: Training,
    phase: Phase,
    first_iteration: int = 0,
    watcher: Watcher | None = None,
    checkpoint: Checkpoint | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Row]:
    """Train the model's trainable layers and leave it with the weights of its best look.

    A look is at the validation people: with the weights as they are, and with their moving averages; the better of
    the two is what counts. The best has the highest mean PCK@0.2, of equal ones the lower loss.

    With a checkpoint, training goes on from it, and ends with the same weights and rows as if it had never ended.
    It is written before each look, every CHECKPOINT_EVERY seconds, and when training is asked to stop.

    Args:
        model: trained in place.
        codec: of the model.
        batches: endless (crops, joints) batches from a position on; the first is 0.
        validation: people of films that are not trained on.
        name: of the phase, for the rows.
        settings: of both phases.
        phase: of this one; its iterations are rounded up to whole rounds between looks.
        first_iteration: where this phase's count begins.
        watcher: told of every step and look.
        checkpoint: where the phase's state is kept, if it is.
        stop: asked after every step whether to stop.

    Returns:
        The rows of all looks.

    Raises:
        LossError: the loss is no number any more.
        Stopped: because it was asked to.
    """
    loss = joint_loss(codec, settings.coordinate_loss)
    model.compile(
        optimizer=keras.optimizers.Adam(
            _rate(phase), use_ema=settings.ema_decay > 0, ema_momentum=settings.ema_decay
        ),
        loss=loss,
    )
    model.optimizer.build(model.trainable_variables)
    course = _Course(
        codec, loss, validation, name, settings, phase, first_iteration, watcher or Watcher(), checkpoint, stop
    )
    course.set_model(model)
    course.resume()
    if course.done < course.iterations:
        # For Keras all of it is one epoch: looks and checkpoints come where the course has them.
        model.fit(
            batches(course.done),
            steps_per_epoch=course.iterations - course.done,
            callbacks=[course],
            shuffle=False,  # the batches come shuffled
            verbose=0,
        )
    model.set_weights(course.best_weights)
    return course.rows


def predict(model: keras.Model, pixels: np.ndarray, batch: int = 64) -> np.ndarray:
    """The model's outputs for (N, S, S, 3) uint8 crops."""
    outputs: np.ndarray = model.predict(pixels, batch_size=batch, verbose=0)
    return outputs


def halve(losses: Sequence[float], patience: int) -> bool:
    """Whether the rate is to be halved after the last of these losses.

    It is whenever so many looks as `patience` says, since the lowest loss or the last halving, brought none lower.
    """
    lowest, waited = math.inf, 0
    for loss in losses:
        if waited == patience:
            waited = 0  # it was halved there
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
    return waited == patience


def _rate(phase: Phase) -> Any:
    """The learning rate: a number that plateaus may halve, or a cosine's fall to zero after a warm-up."""
    if phase.schedule == "plateau":
        return phase.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if phase.warmup_iterations else phase.learning_rate,
        decay_steps=max(1, phase.iterations - phase.warmup_iterations),
        warmup_target=phase.learning_rate if phase.warmup_iterations else None,
        warmup_steps=phase.warmup_iterations,
    )


def _rank(row: Row) -> tuple[float, float]:
    """What makes one look better than another."""
    found, loss = row["val_pck_0.2"], row["val_loss"]
    return -math.inf if math.isnan(found) else found, -math.inf if math.isnan(loss) else -loss


class _Course(keras.callbacks.Callback):
    """What happens between the steps: looks, the best weights remembered, plateaus, checkpoints."""

    def __init__(
        self,
        codec: Codec,
        loss: Callable[[Any, Any], Any],
        validation: People,
        name: str,
        settings: Training,
        phase: Phase,
        first_iteration: int,
        watcher: Watcher,
        checkpoint: Checkpoint | None,
        stop: Callable[[], bool],
    ):
        super().__init__()
        self.codec, self.loss, self.validation, self.name = codec, loss, validation, name
        self.settings, self.phase, self.first_iteration = settings, phase, first_iteration
        self.watcher, self.checkpoint, self.stop = watcher, checkpoint, stop
        self.round = min(settings.validation_interval, phase.iterations)
        self.iterations = math.ceil(phase.iterations / self.round) * self.round
        self.done = 0
        self.train_loss = 0.0
        self.rows: list[Row] = []
        self.best_weights: list[np.ndarray] = []
        self.running_loss: list[np.ndarray] = []
        self.written = time.monotonic()

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one that fits."""
        try:
            saved = self.checkpoint.read() if self.checkpoint else None
        except InputError as error:
            self.watcher.note(f"{error}; training begins anew")
            return
        if saved is None:
            return
        for variable, value in zip(self._variables(), saved.variables, strict=True):
            variable.assign(value)
        self.best_weights = saved.best_weights
        self.done, self.train_loss, self.rows = (saved.facts[key] for key in ("done", "train_loss", "rows"))
        self.watcher.note(f"goes on after iteration {self.first_iteration + self.done}")
        if self.done // self.round > len(self.rows):
            self._look()
        self.running_loss = [ops.convert_to_numpy(variable) for variable in self.model.metrics_variables]

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Put back the round's mean loss, which Keras begins anew."""
        for variable, value in zip(self.model.metrics_variables, self.running_loss, strict=False):
            variable.assign(value)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.done += 1
        self.train_loss = float((logs or {})["loss"])
        iteration = self.first_iteration + self.done
        if not math.isfinite(self.train_loss):
            message = f"training: the loss is {self.train_loss} at iteration {iteration}; lower the learning rate"
            raise LossError(message, self.done - 1)
        self.watcher.step(iteration, self.train_loss)
        stopping, look_due = self.stop(), self.done % self.round == 0
        if stopping or look_due or time.monotonic() - self.written > CHECKPOINT_EVERY:
            self._save()
        if stopping:
            raise Stopped(f"stopped after iteration {iteration}, as asked; the next run goes on there")
        if look_due:
            self._look()

    def _look(self) -> None:
        model = self.model
        looks = [(self._row(averaged=False), model.get_weights())]
        if self.settings.ema_decay > 0:
            model.optimizer.finalize_variable_values(model.trainable_variables)  # the averages
            looks.append((self._row(averaged=True), model.get_weights()))
            model.set_weights(looks[0][1])
        row, weights = max(looks, key=lambda look: _rank(look[0]))
        if all(_rank(row) > _rank(earlier) for earlier in self.rows):
            self.best_weights = weights
        self.rows.append(row)
        losses = [row["val_loss"] for row in self.rows]
        if self.phase.schedule == "plateau" and halve(losses, self.settings.plateau_patience):
            model.optimizer.learning_rate = row["learning_rate"] / 2
        model.reset_metrics()
        self.watcher.look(row)

    def _row(self, averaged: bool) -> Row:
        outputs = predict(self.model, self.validation.pixels)
        losses = ops.convert_to_numpy(self.loss(self.validation.joints, outputs))
        errors = normalised_errors(self.validation.joints, self.codec.decode(outputs))
        return {
            "phase": self.name,
            "iteration": self.first_iteration + self.done,
            "train_loss": self.train_loss,
            "val_loss": float(np.mean(losses)),
            "val_pck_0.2": float(np.nanmean(pck(errors, 0.2))),
            "learning_rate": float(ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            "averaged": averaged,
        }

    def _save(self) -> None:
        self.written = time.monotonic()
        if self.checkpoint is None:
            return
        facts = {"done": self.done, "train_loss": self.train_loss, "rows": self.rows}
        values = [ops.convert_to_numpy(variable) for variable in self._variables()]
        try:
            self.checkpoint.write(Saved(facts, values, self.best_weights))
        except OSError as error:
            reason = error.strerror or str(error)
            self.watcher.note(f"warning: no checkpoint could be written ({reason}); training goes on")

    def _variables(self) -> list[Any]:
        """All that the next step depends on, but for its batch."""
        model = self.model
        return [*model.variables, *model.optimizer.variables, *model.metrics_variables]
