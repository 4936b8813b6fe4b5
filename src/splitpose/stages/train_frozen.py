"""train_frozen: the new layers of a variant learn on a trunk that stands still (paper, section 4)."""

from pathlib import Path

import pandas as pd

import splitpose.stages.quiet  # noqa: F401
from splitpose import models
from splitpose.crops import records
from splitpose.files import whole_file
from splitpose.models.trunk import freeze, load_trunk, settle
from splitpose.settings import Params, Profile, load
from splitpose.stages.command import run
from splitpose.stages.training_run import start, train
from splitpose.training import history

SETTLING_BATCHES = 20


def train_frozen(profile: Profile, params: Path, variant: str, crops: Path, weights: Path, curve: Path) -> None:
    """Train a variant's new layers."""
    model = start(variant, profile)
    load_trunk(model, profile.model.trunk, profile.model.width)
    if profile.model.trunk == "random":
        batches = records.training_batches(crops, profile.crops.size, profile.training.batch, profile.training.seed)
        settle(model, (pixels for pixels, _ in batches.take(SETTLING_BATCHES)))
    freeze(model, models.variant(variant).UNFROZEN)
    rows = train(model, variant, "frozen", profile, load(Params, params).variants[variant], crops, 0)
    with whole_file(weights) as beside:
        model.save_weights(beside)
    history.write(pd.DataFrame(rows), curve)


if __name__ == "__main__":
    run(train_frozen)
