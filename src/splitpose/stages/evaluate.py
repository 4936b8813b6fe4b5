"""evaluate: evaluate a trained variant once on the test split."""

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from splitpose import annotations, models, paths
from splitpose.crops import tfrecords
from splitpose.drawing import encode_jpeg
from splitpose.evaluation import predictions, training_history
from splitpose.evaluation.model_evaluation import (
    EvaluationSet,
    evaluate_model,
    predict_joints,
    select_headline_scores,
)
from splitpose.evaluation.pck import mean_instance_errors
from splitpose.files import atomic_file, atomic_folder, write_json
from splitpose.models.from_profile import build_codec, build_seeded_model
from splitpose.models.macs import count_macs
from splitpose.models.predict import predict
from splitpose.report.case_sheet import case_sheet
from splitpose.settings import Params, Profile, load
from splitpose.stages.command import run
from splitpose.stages.stage_outputs import existing_repeat

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluationInputs:
    """Files that the stage reads."""

    table: Path
    """Annotation table."""
    crops: Path
    """Folder of the crops' TFRecord shards."""
    weights: Path
    """Trained weights of the selected repeat."""
    history: Annotated[Path, "--curve"]
    """Training history of the selected repeat."""
    repeats: Path
    """Folder of the weights of every repeat."""


@dataclass(frozen=True)
class EvaluationOutputs:
    """Files that the stage writes."""

    metrics: Path
    """All metrics with their intervals, JSON."""
    scores: Annotated[Path, "--few"]
    """The selected metrics that `dvc metrics` compares, JSON."""
    predictions: Annotated[Path, "--out"]
    """Predictions in image px, CSV."""
    repeat_predictions: Path
    """Folder of the predictions of every repeat, CSVs of the same format."""
    decodings: Annotated[Path, "--other-readings"]
    """Metrics of every decoding, JSON."""
    robustness: Annotated[Path, "--behaviours"]
    """Robustness, JSON."""
    cases: Path
    """Contact sheet of the best and the worst crops, JPEG."""


def evaluate(
    profile: Profile, params: Path, variant: str, inputs: EvaluationInputs, outputs: EvaluationOutputs
) -> None:
    """Evaluate a variant on the test split.

    The metrics are those of the selected repeat; of the others, only the predictions are written.

    Raises:
        InputError: a repeat that params.yaml lists has not been trained.
    """
    scoring = profile.scoring
    repeats = {
        number: existing_repeat(inputs.repeats, paths.repeat_weights, variant, number)
        for number in load(Params, params).repeats
    }
    model = models.load_weights(build_seeded_model(variant, profile), inputs.weights)
    codec = build_codec(variant, profile)
    crops = list(tfrecords.read(inputs.crops, "test"))
    ids = [crop.id for crop in crops]
    rows = annotations.read(inputs.table).set_index("id", drop=False).loc[ids]
    test_set = EvaluationSet(crops, annotations.joints_of(rows), rows[scoring.bootstrap_cluster].to_numpy())

    run_model, decoding = partial(predict, model), profile.model.decoding
    result = evaluate_model(run_model, codec, test_set, decoding, scoring)
    best = training_history.best_row(training_history.read(inputs.history))
    model_summary = {
        "parameters": model.count_params(),
        "macs": count_macs(model),
        "train_loss": float(best["train_loss"]),
        "val_loss": float(best["val_loss"]),
        "best_iteration": int(best["iteration"]),
    }

    predictions.write(ids, result.predictions, outputs.predictions)
    with atomic_folder(outputs.repeat_predictions) as folder:
        for number, weights in repeats.items():
            joints = result.predictions
            if weights.read_bytes() != inputs.weights.read_bytes():  # not the selected repeat
                models.load_weights(model, weights)
                joints = predict_joints(run_model, codec, crops, decoding, scoring.flip_test)
            predictions.write(ids, joints, folder / paths.repeat_predictions(variant, number).name)
    write_json(result.decodings, outputs.decodings)
    write_json(result.robustness, outputs.robustness)
    sheet = case_sheet(crops, result.headline.joints, mean_instance_errors(result.errors), result.heatmaps)
    with atomic_file(outputs.cases) as temporary:
        temporary.write_bytes(encode_jpeg(sheet))
    selected = {name: model_summary[name] for name in ("val_loss", "parameters", "macs")}
    write_json(select_headline_scores(result.metrics) | selected, outputs.scores)
    write_json(
        {
            "variant": variant,
            "n": len(ids),
            "without_torso": result.without_torso,
            "torso": scoring.torso,
            "viewpoint": profile.source.viewpoint,
            "decoding": result.headline.decoding,
            "flip_test": result.headline.flip_test,
            "bootstrap_cluster": scoring.bootstrap_cluster,
            **model_summary,
            **result.metrics,
        },
        outputs.metrics,
    )
    pck = result.metrics["pck"]["0.2"]["mean"]
    logger.info("%s: mean PCK@0.2 on all %d test instances: %s", variant, len(ids), pck)


if __name__ == "__main__":
    run(evaluate)
