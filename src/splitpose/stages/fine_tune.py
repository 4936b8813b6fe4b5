"""fine_tune: every layer of a variant learns, from the frozen phase's weights on (paper, section 4)."""

from pathlib import Path

from splitpose import models
from splitpose.models.backbone import unfreeze
from splitpose.settings import Params, Profile, load
from splitpose.stages.command import run
from splitpose.stages.training_run import start, train
from splitpose.training import history
from splitpose.training.devices import computing


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
    with computing(profile.training):
        model = models.load(start(variant, profile), frozen_weights)
        unfreeze(model)
        override = load(Params, params).variants[variant]
        train(model, variant, "fine_tune", profile, override, crops, history.read(frozen_curve), weights, curve)


if __name__ == "__main__":
    run(fine_tune)
