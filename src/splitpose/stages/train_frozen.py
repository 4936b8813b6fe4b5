"""train_frozen: train the new layers of a variant on a frozen backbone (paper, section 4)."""

from pathlib import Path

from splitpose import models
from splitpose.models.from_profile import build_seeded_model
from splitpose.models.layers.backbone import freeze_backbone, recalibrate_batch_norm
from splitpose.models.weights import load_backbone_weights
from splitpose.settings import RunConfig
from splitpose.stages.command import run
from splitpose.stages.training_run import PhaseOutputs, run_phase
from splitpose.training.batches import training_batches
from splitpose.training.devices import device_scope

RECALIBRATION_BATCHES = 20
"""Number of batches from which a random backbone's batch-norm statistics are recomputed."""


def train_frozen(config: RunConfig, crops: Path, outputs: PhaseOutputs) -> None:
    """Train the new layers of a variant on a frozen backbone."""
    profile, training = config.profile, config.profile.training
    with device_scope(training):
        model = build_seeded_model(config.variant, profile)
        load_backbone_weights(model, profile.model.backbone_weights, profile.model.width_multiplier)
        if profile.model.backbone_weights == "random":
            batches = training_batches(crops, profile.crops.size, training.batch_size, training.seed)
            recalibrate_batch_norm(model, (pixels for pixels, _ in batches.take(RECALIBRATION_BATCHES)))
        freeze_backbone(model, models.get_variant(config.variant).TRAINABLE_BACKBONE_BLOCKS)
        source = profile.model.backbone_weights
        initial = [] if source in ("random", "imagenet") else [Path(source).expanduser()]
        run_phase(model, config, "frozen", crops, outputs, initial_weights=initial)


if __name__ == "__main__":
    run(train_frozen)
