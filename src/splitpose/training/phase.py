"""One training phase: iterations of Adam, looks at the validation people, the best weights kept."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from splitpose.codecs import Codec
from splitpose.errors import InputError
from splitpose.scoring.pck import normalised_errors, pck
from splitpose.settings import Phase, Training, VariantOverride
from splitpose.training.loss import squared_error

Row = dict[str, Any]
"""One look: phase, iteration, train_loss, val_loss, val_pck_0.2, learning_rate."""


@dataclass(frozen=True)
class Watcher:
    """Who is told how training goes; changes nothing."""

    step: Callable[[int, float], None] = lambda iteration, loss: None
    look: Callable[[Row], None] = lambda row: None


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
    batches: Iterable[Any],
    validation: People,
    name: str,
    settings: Training,
    phase: Phase,
    first_iteration: int = 0,
    watcher: Watcher | None = None,
) -> list[Row]:
    """Train the model's trainable layers and leave it with the weights of its best look.

    The best look has the highest mean PCK@0.2 of the validation people, of equal ones the lower loss. What is
    looked at, and kept, are the moving averages of the weights.

    Args:
        model: trained in place.
        codec: of the model.
        batches: endless (crops, joints) batches.
        validation: people of films that are not trained on.
        name: of the phase, for the rows.
        settings: of both phases.
        phase: of this one; its iterations are rounded up to whole rounds between looks.
        first_iteration: where this phase's count begins.
        watcher: told of every step and look.

    Returns:
        The rows of all looks.

    Raises:
        InputError: the loss is no number any more.
    """
    model.compile(
        optimizer=keras.optimizers.Adam(
            _rate(phase), use_ema=settings.average_decay > 0, ema_momentum=settings.average_decay
        ),
        loss=squared_error(codec),
    )
    looks = _Looks(codec, validation, name, first_iteration, watcher or Watcher())
    callbacks: list[keras.callbacks.Callback] = [looks]
    if settings.average_decay > 0:
        callbacks.insert(0, keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    if phase.schedule == "plateau":
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                monitor="val_loss", factor=0.5, patience=settings.plateau_patience, min_delta=0.0
            )
        )
    steps = min(settings.evaluate_every, phase.iterations)
    model.fit(
        batches,
        epochs=math.ceil(phase.iterations / steps),
        steps_per_epoch=steps,
        callbacks=callbacks,
        shuffle=False,  # the batches come shuffled
        verbose=0,
    )
    model.set_weights(looks.best_weights)
    return looks.rows


def predict(model: keras.Model, pixels: np.ndarray, batch: int = 64) -> np.ndarray:
    """The model's outputs for (N, S, S, 3) uint8 crops."""
    parts = [
        ops.convert_to_numpy(model(pixels[start : start + batch].astype(np.float32), training=False))
        for start in range(0, len(pixels), batch)
    ]
    return np.concatenate(parts)


def _rate(phase: Phase) -> Any:
    """The learning rate: a number that plateaus may halve, or a cosine's fall to zero after a warm-up."""
    if phase.schedule == "plateau":
        return phase.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if phase.warm_up else phase.learning_rate,
        decay_steps=max(1, phase.iterations - phase.warm_up),
        warmup_target=phase.learning_rate if phase.warm_up else None,
        warmup_steps=phase.warm_up,
    )


class _Looks(keras.callbacks.Callback):
    """Looks at the validation people at the end of every round and remembers the best weights."""

    def __init__(
        self,
        codec: Codec,
        validation: People,
        name: str,
        first_iteration: int,
        watcher: Watcher,
    ):
        super().__init__()
        self.codec, self.validation, self.name, self.watcher = codec, validation, name, watcher
        self.iteration = first_iteration
        self.loss = squared_error(codec)
        self.rows: list[Row] = []
        self.best_weights: list[np.ndarray] = []
        self.best: tuple[float, float] = (-math.inf, -math.inf)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.iteration += 1
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise InputError(f"training: the loss is {loss} at iteration {self.iteration}; lower the learning rate")
        self.watcher.step(self.iteration, loss)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = {} if logs is None else logs
        outputs = predict(self.model, self.validation.pixels)
        losses = ops.convert_to_numpy(self.loss(self.validation.joints, outputs))
        errors = normalised_errors(self.validation.joints, self.codec.decode(outputs))
        logs["val_loss"] = float(np.mean(losses))
        row: Row = {
            "phase": self.name,
            "iteration": self.iteration,
            "train_loss": float(logs["loss"]),
            "val_loss": logs["val_loss"],
            "val_pck_0.2": float(np.nanmean(pck(errors, 0.2))),
            "learning_rate": float(ops.convert_to_numpy(self.model.optimizer.learning_rate)),
        }
        self.rows.append(row)
        rank = (row["val_pck_0.2"], -row["val_loss"])
        if rank > self.best:
            self.best, self.best_weights = rank, self.model.get_weights()
        self.watcher.look(row)
