"""The learning rate: reduced on plateaus, or a cosine decay after a linear warm-up."""

import math
from collections.abc import Sequence

import keras

from splitpose.settings import Phase


def initial_learning_rate(phase: Phase) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the optimizer's learning rate: a constant to be reduced on plateaus, or a cosine decay to zero."""
    if phase.schedule == "plateau":
        return phase.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if phase.warmup_iterations else phase.learning_rate,
        decay_steps=max(1, phase.iterations - phase.warmup_iterations),
        warmup_target=phase.learning_rate if phase.warmup_iterations else None,
        warmup_steps=phase.warmup_iterations,
    )


def is_plateau(losses: Sequence[float], patience: int) -> bool:
    """Return whether the learning rate is to be reduced after the last of these validation losses.

    It is reduced if the last `patience` validation steps, counted since the lowest loss or the last reduction, have
    not lowered the loss.
    """
    lowest, waited = math.inf, 0
    for loss in losses:
        if waited == patience:
            waited = 0  # the learning rate was reduced here
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
    return waited == patience
