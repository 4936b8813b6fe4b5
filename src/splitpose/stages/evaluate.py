"""evaluate: a trained variant is scored once on the test people."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from splitpose import annotations, models
from splitpose.codecs import Codec, Heatmaps
from splitpose.crops import tfrecords
from splitpose.crops.crop import Crop
from splitpose.drawing import jpeg
from splitpose.evaluation import predictions
from splitpose.evaluation.decoding import Reading, headline, readings
from splitpose.evaluation.paired_differences import paired_differences
from splitpose.evaluation.pck import mean_errors, normalised_errors, without_torso
from splitpose.evaluation.robustness import behaviour
from splitpose.evaluation.summary import summarise
from splitpose.files import atomic_file, write_json
from splitpose.models.from_profile import build_codec, build_seeded_model
from splitpose.models.macs import count_macs
from splitpose.models.predict import predict
from splitpose.report.case_sheet import case_sheet
from splitpose.settings import Profile, Scoring
from splitpose.stages.command import run
from splitpose.training import history


def evaluate(
    profile: Profile,
    variant: str,
    table: Path,
    crops: Path,
    weights: Path,
    curve: Path,
    metrics: Path,
    few: Path,
    out: Path,
    other_readings: Path,
    behaviours: Path,
    cases: Path,
) -> None:
    """Score a variant on the test people."""
    scoring = profile.scoring
    model = models.load_weights(build_seeded_model(variant, profile), weights)
    codec = build_codec(variant, profile)
    people = list(tfrecords.read(crops, "test"))
    ids = [crop.id for crop in people]
    rows = annotations.read(table).set_index("id").loc[ids]
    clusters = rows.reset_index()[scoring.bootstrap_cluster].to_numpy()
    pixels = np.stack([crop.pixels for crop in people])

    outputs, of_mirrored = predict(model, pixels), predict(model, pixels[:, :, ::-1])
    found = list(readings(codec, outputs, of_mirrored))
    chosen = headline(found, profile.model.decoding, scoring.flip_test)
    in_pictures = {reading.name: predictions.in_pictures(people, reading.joints) for reading in found}
    truth = annotations.joints_of(rows)
    errors = {name: normalised_errors(truth, joints, scoring.torso_joints) for name, joints in in_pictures.items()}

    predictions.write(ids, in_pictures[chosen.name], out)
    write_json(_scores_of_readings(found, chosen, errors, scoring, clusters), other_readings)
    write_json(_behaviour(model, codec, people, scoring), behaviours)
    read = (outputs + codec.flip(of_mirrored)) / 2 if chosen.flip_test else outputs
    heatmaps = read if isinstance(codec, Heatmaps) else None
    with atomic_file(cases) as beside:
        beside.write_bytes(jpeg(case_sheet(people, chosen.joints, mean_errors(errors[chosen.name]), heatmaps)))
    best = history.best_row(history.read(curve))
    scores = _scores(errors[chosen.name], scoring, clusters)
    facts = {
        "parameters": model.count_params(),
        "macs": count_macs(model),
        "train_loss": float(best["train_loss"]),
        "val_loss": float(best["val_loss"]),
        "best_iteration": int(best["iteration"]),
    }
    write_json(_few(scores) | {name: facts[name] for name in ("val_loss", "parameters", "macs")}, few)
    write_json(
        {
            "variant": variant,
            "n": len(ids),
            "without_torso": without_torso(errors[chosen.name]),
            "torso": scoring.torso,
            "viewpoint": profile.source.viewpoint,
            "decoding": chosen.decoding,
            "flip_test": chosen.flip_test,
            "bootstrap_cluster": scoring.bootstrap_cluster,
            **facts,
            **scores,
        },
        metrics,
    )


def _scores(errors: np.ndarray, scoring: Scoring, clusters: np.ndarray) -> dict[str, Any]:
    return summarise(errors, scoring.thresholds, scoring.resamples, scoring.seed, clusters)


def _few(scores: dict[str, Any]) -> dict[str, float | None]:
    """The scores that `dvc metrics show` has room for, named as in MLflow: {"pck_0.2_mean": ...}."""
    pck = {f"pck_{at}_mean": groups["mean"] for at, groups in reversed(scores["pck"].items())}
    (limit, area), *_ = scores["auc"].items()
    limbs = {f"pck_{limit}_{group}": scores["pck"][limit][group] for group in ("elbow", "wrist")}
    return pck | limbs | {f"auc_{limit}_mean": area["mean"]}


def _scores_of_readings(
    found: list[Reading], chosen: Reading, errors: dict[str, np.ndarray], scoring: Scoring, clusters: np.ndarray
) -> list[dict[str, Any]]:
    """Scores of every reading, and its gain over the headline on the same people, in points of percent."""
    scores = []
    for reading in found:
        pair = {chosen.name: errors[chosen.name], reading.name: errors[reading.name]}
        compared = paired_differences(pair, scoring.thresholds, scoring.resamples, scoring.seed, clusters)
        scores.append(
            {
                "reading": reading.name,
                "headline": reading is chosen,
                "runs_of_the_model": 2 if reading.flip_test else 1,
                "gain": compared[0]["pck"] if compared else {},
                **_scores(errors[reading.name], scoring, clusters),
            }
        )
    return scores


def _behaviour(model: keras.Model, codec: Codec, people: list[Crop], scoring: Scoring) -> dict[str, Any]:
    pixels, joints = (np.stack([getattr(crop, name) for crop in people]) for name in ("pixels", "joints"))
    return behaviour(lambda crops: codec.decode(predict(model, crops)), pixels, joints, scoring.torso_joints)


if __name__ == "__main__":
    run(evaluate)
