"""fine_tune: train all layers of a variant, starting from the frozen phase's weights (paper, section 4)."""

from pathlib import Path

from splitpose import models
from splitpose.evaluation import training_history
from splitpose.models.from_profile import build_seeded_model
from splitpose.models.layers.backbone import unfreeze
from splitpose.settings import RunConfig
from splitpose.stages.command import run
from splitpose.stages.training_run import PhaseOutputs, run_phase
from splitpose.training.devices import device_scope


def fine_tune(
    config: RunConfig, crops: Path, frozen_weights: Path, frozen_curve: Path, outputs: PhaseOutputs
) -> None:
    """Train all layers of a variant."""
    with device_scope(config.profile.training):
        model = models.load_weights(build_seeded_model(config.variant, config.profile), frozen_weights)
        unfreeze(model)
        run_phase(model, config, "fine_tune", crops, outputs, training_history.read(frozen_curve))


if __name__ == "__main__":
    run(fine_tune)
