"""train_frozen: train the new layers of a variant on a frozen backbone (paper, section 4)."""

import logging
import shutil
from pathlib import Path

from splitpose.evaluation import training_history
from splitpose.files import atomic_file
from splitpose.models.weights_file import (
    INITIAL_KEY,
    architecture_digest,
    check_finite,
    read_architecture,
    read_weights,
)
from splitpose.settings import RunConfig
from splitpose.stages.command import run
from splitpose.stages.initial_files import InitialFiles
from splitpose.stages.phase_outputs import PhaseOutputs

logger = logging.getLogger(__name__)


def train_frozen(config: RunConfig, crops: Path, initial: Path, outputs: PhaseOutputs) -> None:
    """Train the new layers of a variant; without new layers, pass the initial weights on."""
    weights = InitialFiles(initial).model_weights
    digest = architecture_digest(config.variant, config.profile)
    if not (weights.is_file() and read_architecture(weights) == digest):
        # TensorFlow takes seconds to import, which a run without new layers does not need.
        from splitpose.stages.frozen_phase import train_new_layers

        if train_new_layers(config, crops, InitialFiles(initial), outputs):
            return
    else:
        _pass_on(weights, outputs.weights)
    training_history.write(training_history.empty(), outputs.history)
    outputs.write_time("train_frozen", 0.0)
    logger.info("%s: no layer is new, so the frozen phase is skipped", config.variant)


def _pass_on(weights: Path, path: Path) -> None:
    """Copy the weights of a model with the same layers, and log their number.

    Raises:
        InputError: a layer contains NaN or infinity.
    """
    weights_by_layer = read_weights(weights, INITIAL_KEY)
    for layer, arrays in weights_by_layer.items():
        check_finite(layer, arrays, weights, INITIAL_KEY)
    with atomic_file(path) as temporary:
        shutil.copyfile(weights, temporary)
    logger.info(
        "initial weights: %d layers loaded, 0 new", sum(1 for arrays in weights_by_layer.values() if arrays)
    )


if __name__ == "__main__":
    run(train_frozen)
