"""The training loop of one phase: Adam, validation steps, the best weights; resumable at any iteration."""

import logging

import keras
from keras import ops

from splitpose.codecs import Codec
from splitpose.errors import InputError
from splitpose.evaluation.training_history import HistoryRow
from splitpose.training.callbacks import (
    BackupCallback,
    IterationCallback,
    RunningLossCallback,
    ValidationCallback,
    Validator,
    training_variables,
)
from splitpose.training.checkpoint import Checkpoint, TrainingState
from splitpose.training.loss import joint_loss
from splitpose.training.phase import PhaseConfig, TrainingControl, TrainingData
from splitpose.training.schedule import initial_learning_rate

logger = logging.getLogger(__name__)


def train(
    model: keras.Model,
    codec: Codec,
    data: TrainingData,
    phase: PhaseConfig,
    control: TrainingControl | None = None,
) -> list[HistoryRow]:
    """Train the model's trainable layers in place; at the end it has the weights of its best validation step.

    The best validation step is the one with the highest mean PCK@0.2, and with equal PCK the lowest loss. With a
    checkpoint, training resumes from it, and ends with the same weights and rows as without the interruption.

    Returns:
        The rows of all validation steps.

    Raises:
        NonFiniteLossError: the loss is NaN or infinite.
        TrainingStopped: training was stopped on request.
    """
    control = control or TrainingControl()
    training = phase.training
    loss = joint_loss(codec, training.coordinate_loss)
    model.compile(
        optimizer=keras.optimizers.Adam(
            initial_learning_rate(phase.settings), use_ema=training.ema_decay > 0, ema_momentum=training.ema_decay
        ),
        loss=loss,
    )
    model.optimizer.build(model.trainable_variables)
    restored = restore(model, control.checkpoint)
    state = restored or TrainingState()
    validation = ValidationCallback(phase, state, Validator(codec, loss, data.validation), control.listeners)
    validation.set_model(model)
    callbacks = [
        IterationCallback(phase, state, control.listeners),
        BackupCallback(phase, state, control),
        validation,
    ]
    if restored:
        logger.info("resuming after iteration %d", phase.first_iteration + state.done)
        if validation.is_due():  # training was interrupted between the checkpoint and the validation step
            validation.validate()
        callbacks.append(RunningLossCallback([ops.convert_to_numpy(value) for value in model.metrics_variables]))
    if state.done < phase.iterations:
        # The entire phase is one epoch for Keras: validation steps and checkpoints do not depend on epochs.
        model.fit(
            data.batches(state.done),
            steps_per_epoch=phase.iterations - state.done,
            callbacks=callbacks,
            shuffle=False,  # the batches are shuffled already
            verbose=0,
        )
    model.set_weights(state.best_weights)
    return state.rows


def restore(model: keras.Model, checkpoint: Checkpoint | None) -> TrainingState | None:
    """Restore the model, its optimizer and its metrics from the checkpoint; return None if none can be used."""
    try:
        saved = checkpoint.read() if checkpoint else None
    except InputError as error:
        logger.warning("%s; training restarts from the beginning", error)
        return None
    if saved is None:
        return None
    state, variables = saved
    for variable, value in zip(training_variables(model), variables, strict=True):
        variable.assign(value)
    return state
