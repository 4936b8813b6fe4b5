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
from splitpose.stages.training_run import PhaseOutputs, run_phase
from splitpose.training.devices import device_scope


@dataclass(frozen=True)
class FrozenPhase:
    """Files of the previous phase."""

    weights: Annotated[Path, "--frozen-weights"]
    """Weights at the end of the frozen phase."""
    history: Annotated[Path, "--frozen-curve"]
    """Training history of the frozen phase."""


def fine_tune(config: RunConfig, crops: Path, frozen: FrozenPhase, outputs: PhaseOutputs) -> None:
    """Train all layers of a variant."""
    with device_scope(config.profile.training):
        model = models.load_weights(build_seeded_model(config.variant, config.profile), frozen.weights)
        unfreeze(model)
        previous = training_history.read(frozen.history)
        run_phase(model, config, "fine_tune", crops, outputs, previous, [frozen.weights])


if __name__ == "__main__":
    run(fine_tune)
