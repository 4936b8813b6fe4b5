"""evaluate: a trained variant is scored once on the test people."""

from pathlib import Path

import numpy as np

import splitpose.stages.quiet  # noqa: F401
from splitpose import annotations, models
from splitpose.crops import records
from splitpose.files import write_json
from splitpose.models.cost import multiply_adds
from splitpose.scoring import predictions
from splitpose.scoring.pck import normalised_errors
from splitpose.scoring.summary import summarise
from splitpose.settings import CocoSource, Profile
from splitpose.stages.command import run
from splitpose.stages.training_run import start
from splitpose.training import history
from splitpose.training.phase import predict


def evaluate(
    profile: Profile,
    variant: str,
    table: Path,
    crops: Path,
    weights: Path,
    curve: Path,
    metrics: Path,
    out: Path,
) -> None:
    """Score a variant on the test people."""
    model = models.load(start(variant, profile), weights)
    codec = models.codec(variant, profile.crops.size, profile.training.heatmap_width, profile.model.decoding)
    people = list(records.read(crops, "test"))
    ids = [crop.id for crop in people]
    outputs = predict(model, np.stack([crop.pixels for crop in people]))
    predicted = predictions.in_pictures(people, codec.decode(outputs))
    errors = normalised_errors(
        predictions.truth_of(annotations.read(table), ids), predicted, profile.scoring.torso_joints
    )
    best = history.best(history.read(curve))
    predictions.write(ids, predicted, out)
    write_json(
        {
            "variant": variant,
            "n": len(ids),
            "torso": profile.scoring.torso,
            "viewpoint": "person" if isinstance(profile.source, CocoSource) else profile.source.viewpoint,
            "parameters": model.count_params(),
            "macs": multiply_adds(model),
            "train_loss": float(best["train_loss"]),
            "val_loss": float(best["val_loss"]),
            "best_iteration": int(best["iteration"]),
            **summarise(errors, profile.scoring.thresholds, profile.scoring.resamples, profile.scoring.seed),
        },
        metrics,
    )


if __name__ == "__main__":
    run(evaluate)
