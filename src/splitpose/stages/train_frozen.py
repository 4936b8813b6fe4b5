"""train_frozen: the new layers of a variant learn on a trunk that stands still (paper, section 4)."""

from pathlib import Path

import pandas as pd

from splitpose import models
from splitpose.models.backbone import freeze, frozen_layers, recalibrate_batch_norm
from splitpose.models.weights import load_backbone
from splitpose.settings import Params, Profile, load
from splitpose.stages.command import run
from splitpose.stages.training_run import start, train
from splitpose.training.batches import training_batches
from splitpose.training.devices import computing

SETTLING_BATCHES = 20


def train_frozen(profile: Profile, params: Path, variant: str, crops: Path, weights: Path, curve: Path) -> None:
    """Train a variant's new layers."""
    with computing(profile.training):
        model = start(variant, profile)
        load_backbone(model, profile.model.backbone_weights, profile.model.width_multiplier)
        if profile.model.backbone_weights == "random":
            batches = training_batches(
                crops, profile.crops.size, profile.training.batch_size, profile.training.seed
            )
            recalibrate_batch_norm(model, (pixels for pixels, _ in batches.take(SETTLING_BATCHES)))
        freeze(model, models.variant(variant).TRAINABLE_BACKBONE_BLOCKS)
        for layer, stands_still in frozen_layers(model):
            print(f"{variant}: {layer} {'stands still' if stands_still else 'trains'}")
        override = load(Params, params).variants[variant]
        train(model, variant, "frozen", profile, override, crops, pd.DataFrame(), weights, curve)


if __name__ == "__main__":
    run(train_frozen)
