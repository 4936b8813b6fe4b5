"""fine_tune: every layer of a variant learns, from the frozen phase's weights on (paper, section 4)."""

from pathlib import Path

import pandas as pd

import splitpose.stages.quiet  # noqa: F401
from splitpose import models
from splitpose.files import whole_file
from splitpose.models.trunk import unfreeze
from splitpose.settings import Params, Profile, load
from splitpose.stages.command import run
from splitpose.stages.training_run import start, train
from splitpose.training import history


def fine_tune(
    profile: Profile,
    params: Path,
    variant: str,
    crops: Path,
    frozen_weights: Path,
    frozen_curve: Path,
    weights: Path,
    curve: Path,
) -> None:
    """Train all of a variant."""
    model = models.load(start(variant, profile), frozen_weights)
    unfreeze(model)
    before = history.read(frozen_curve)
    override = load(Params, params).variants[variant]
    rows = train(model, variant, "fine_tune", profile, override, crops, int(before["iteration"].iloc[-1]))
    with whole_file(weights) as beside:
        model.save_weights(beside)
    history.write(pd.concat([before, pd.DataFrame(rows)]), curve)


if __name__ == "__main__":
    run(fine_tune)
