"""The frozen phase: initial weights are loaded, and the layers without any are trained."""

from pathlib import Path

import keras

from splitpose import models
from splitpose.data.training_groups_files import read_training_groups, write_training_groups
from splitpose.files import atomic_file
from splitpose.models.from_profile import build_seeded_model
from splitpose.models.layers.backbone import freeze_backbone, freeze_layers, recalibrate_batch_norm
from splitpose.models.weights import load_backbone_weights, load_initial_weights
from splitpose.settings import RunConfig
from splitpose.stages.initial_files import InitialFiles
from splitpose.stages.phase_outputs import PhaseOutputs
from splitpose.stages.training_run import run_phase
from splitpose.training.batches import training_batches
from splitpose.training.devices import device_scope

RECALIBRATION_BATCHES = 20
"""Number of batches from which a random backbone's batch-norm statistics are recomputed."""


def train_new_layers(config: RunConfig, crops: Path, initial: InitialFiles, outputs: PhaseOutputs) -> bool:
    """Train the layers that have no initial weights, and write the outputs.

    Returns:
        False if there are no such layers; then only the weights have been written.

    Raises:
        InputError: the initial weights cannot be used.
    """
    trainable_blocks = models.get_variant(config.variant).TRAINABLE_BACKBONE_BLOCKS
    with device_scope(config.profile.training):
        model = build_seeded_model(config.variant, config.profile)
        if initial.model_weights.is_file():
            layers = load_initial_weights(model, initial.model_weights)
            if not layers.new:
                _save_initial_weights(model, initial.model_weights, outputs.weights)
                return False
            freeze_layers(model, layers.loaded, trainable_blocks)
        else:
            _initialise_backbone(model, config, crops, initial.backbone_weights)
            freeze_backbone(model, trainable_blocks)
        run_phase(model, config, "frozen", crops, outputs, initial_weights=initial.used())
    return True


def _save_initial_weights(model: keras.Model, initial: Path, path: Path) -> None:
    """Save the weights that were loaded from `initial`, with its record of training groups."""
    groups = read_training_groups(initial)
    with atomic_file(path) as temporary:
        model.save_weights(temporary)
        if groups is not None:
            write_training_groups(temporary, groups)


def _initialise_backbone(model: keras.Model, config: RunConfig, crops: Path, weights: Path) -> None:
    """Load the backbone's weights; without a file, recalibrate the batch-norm statistics of the random backbone."""
    profile = config.profile
    if weights.is_file():
        load_backbone_weights(model, weights, profile.model.width_multiplier)
        return
    batches = training_batches(crops, profile.crops.size, profile.training.batch_size, profile.training.seed)
    recalibrate_batch_norm(model, (pixels for pixels, _ in batches.take(RECALIBRATION_BATCHES)))
