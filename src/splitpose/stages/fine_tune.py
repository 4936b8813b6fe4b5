"""fine_tune: train all layers of a variant, starting from the frozen phase's weights (paper, section 4)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from splitpose import models
from splitpose.evaluation import training_history
from splitpose.models.from_profile import build_seeded_model
from splitpose.models.layers.backbone import unfreeze
from splitpose.settings import RunConfig
from splitpose.stages.command import run
from splitpose.stages.initial_files import CHAMPION, InitialFiles
from splitpose.stages.phase_outputs import PhaseOutputs
from splitpose.stages.training_run import run_phase
from splitpose.training.devices import device_scope


@dataclass(frozen=True)
class FrozenPhase:
    """Files of the previous phase."""

    weights: Annotated[Path, "--frozen-weights"]
    """Weights at the end of the frozen phase."""
    history: Annotated[Path, "--frozen-curve"]
    """Training history of the frozen phase, empty if it was skipped because no layer is new."""


def fine_tune(config: RunConfig, crops: Path, initial: Path, frozen: FrozenPhase, outputs: PhaseOutputs) -> None:
    """Train all layers of a variant."""
    history = training_history.read(frozen.history)
    source = InitialFiles(initial).read_record().initial_weights.source
    if history.empty and source == CHAMPION:
        config = replace_fine_tuning(config)
    with device_scope(config.profile.training):
        model = models.load_weights(build_seeded_model(config.variant, config.profile), frozen.weights)
        unfreeze(model)
        run_phase(model, config, "fine_tune", crops, outputs, history, [frozen.weights])


def replace_fine_tuning(config: RunConfig) -> RunConfig:
    """Return the configuration with the settings of a warm start in place of those of fine-tuning."""
    training = config.profile.training
    training = training.model_copy(update={"fine_tune": training.warm_start})
    return config.model_copy(update={"profile": config.profile.model_copy(update={"training": training})})


if __name__ == "__main__":
    run(fine_tune)
