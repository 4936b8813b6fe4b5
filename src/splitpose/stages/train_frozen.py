"""train_frozen: train the new layers of a variant on a frozen backbone (paper, section 4)."""

import logging
import shutil
from pathlib import Path

from splitpose.evaluation import training_history
from splitpose.files import atomic_file, write_json
from splitpose.models.weights_file import architecture_digest, read_architecture
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
        with atomic_file(outputs.weights) as temporary:
            shutil.copyfile(weights, temporary)
    training_history.write(training_history.empty(), outputs.history)
    write_json({"train_frozen_seconds": 0.0}, outputs.time)
    logger.info("%s: no layer is new, so the frozen phase is skipped", config.variant)


if __name__ == "__main__":
    run(train_frozen)
