"""The part that both training stages share: train or resume one phase, and write weights, history and time."""

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from splitpose.crops import tfrecords
from splitpose.data.training_groups_files import inherited_groups, read_crop_groups, write_training_groups
from splitpose.errors import InputError
from splitpose.evaluation import training_history
from splitpose.files import atomic_file
from splitpose.models.from_profile import build_codec
from splitpose.models.layers.backbone import group_by_trainable
from splitpose.models.weights_file import architecture_digest, write_architecture
from splitpose.settings import RunConfig
from splitpose.stages.phase_outputs import PhaseOutputs
from splitpose.stages.training_monitor import monitor_training
from splitpose.training.batches import batch_ids, training_batches
from splitpose.training.callbacks import NonFiniteLossError, TrainingStopped
from splitpose.training.checkpoint import Checkpoint, checkpoint_key
from splitpose.training.loop import train
from splitpose.training.phase import PhaseConfig, PhaseName, TrainingControl, TrainingData, ValidationCrops

logger = logging.getLogger(__name__)

STAGES: dict[PhaseName, str] = {"frozen": "train_frozen", "fine_tune": "fine_tune"}
"""The stage of each phase."""


def run_phase(
    model: keras.Model,
    config: RunConfig,
    name: PhaseName,
    crops: Path,
    outputs: PhaseOutputs,
    previous: pd.DataFrame | None = None,
    initial_weights: Sequence[Path] = (),
) -> None:
    """Train one phase on the crops; write the weights, the history after that of the previous phase, and the time.

    The weights file records the groups that the model has seen: those of the crops, and those of `initial_weights`,
    the weights files that the model starts from.

    A phase that was killed, or stopped by SIGTERM or Ctrl-C, is resumed by the next run. Until the outputs are
    written, its checkpoint is next to the weights, where DVC ignores it.

    Raises:
        InputError: the loss is NaN or infinite; the message lists the instances of its batch. Or the record of the
            groups is missing from the crops, or damaged in the initial weights.
        SystemExit: training was stopped on request.
    """
    frozen, trainable = (len(names) for names in group_by_trainable(model))
    logger.info("%s: %s: %d layers frozen, %d trainable", config.title, name, frozen, trainable)
    training = config.profile.training
    if previous is not None and previous.empty:  # the previous phase was skipped
        previous = None
    groups = inherited_groups(read_crop_groups(crops), initial_weights)
    first_iteration = 0 if previous is None else int(previous["iteration"].iloc[-1])
    phase = PhaseConfig(name, training, first_iteration)
    seed = training.seed + first_iteration
    shards = [shard for split in ("train", "val") for shard in tfrecords.list_shards(crops, split)]
    checkpoint = Checkpoint(
        outputs.weights.parent / f"{name}.checkpoint", checkpoint_key(model, config, name, shards, seed)
    )

    def batches(position: int) -> tf.data.Dataset:
        return training_batches(crops, config.profile.crops.size, training.batch_size, seed, position)

    is_resumed, start = checkpoint.path.is_file(), time.monotonic()
    try:
        with monitor_training(config, phase) as (listeners, should_stop):
            rows = train(
                model,
                build_codec(config.variant, config.profile),
                TrainingData(batches, load_validation_crops(crops)),
                phase,
                TrainingControl(listeners, checkpoint, should_stop),
            )
    except NonFiniteLossError as error:
        ids = ", ".join(sorted(set(batch_ids(crops, training.batch_size, seed, error.position))))
        raise InputError(f"{error}; instances of its batch: {ids}") from error
    except TrainingStopped as stopped:
        sys.exit(f"{config.title}: {name}: {stopped}")
    with atomic_file(outputs.weights) as temporary:
        model.save_weights(temporary)
        write_architecture(temporary, architecture_digest(config.variant, config.profile))
        write_training_groups(temporary, groups)
    training_history.write(pd.concat([previous, pd.DataFrame(rows)]), outputs.history)
    # The time before an interruption is unknown, so no time is written for a resumed phase.
    seconds = None if is_resumed else round(time.monotonic() - start, 1)
    outputs.write_time(STAGES[name], seconds)
    checkpoint.delete()


def load_validation_crops(folder: Path) -> ValidationCrops:
    """Load all crops of the validation split."""
    crops = list(tfrecords.read(folder, "val"))
    return ValidationCrops(np.stack([crop.pixels for crop in crops]), np.stack([crop.joints for crop in crops]))
