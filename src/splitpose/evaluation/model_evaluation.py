"""Evaluation of a trained Keras model on the test crops: predictions, metrics, decodings and robustness."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from splitpose.codecs import Codec, Heatmaps
from splitpose.crops.crop import Crop
from splitpose.evaluation import predictions
from splitpose.evaluation.decoding import DecodedJoints, decode_all, select_headline
from splitpose.evaluation.paired_differences import paired_differences
from splitpose.evaluation.pck import count_without_torso, normalised_errors
from splitpose.evaluation.robustness import measure_robustness
from splitpose.evaluation.summary import summarise
from splitpose.settings import Decoding, Scoring

Predict = Callable[[np.ndarray], np.ndarray]
"""The model: crops (N, S, S, 3) uint8 -> outputs."""


@dataclass(frozen=True)
class EvaluationSet:
    """The crops that a model is evaluated on.

    crops: N crops; ground_truth: (N, K, 2) image px; clusters: (N,) bootstrap cluster of each crop.
    """

    crops: Sequence[Crop]
    ground_truth: np.ndarray
    clusters: np.ndarray


@dataclass(frozen=True)
class EvaluationResult:
    """The results of evaluating a model; all metrics are those of the headline decoding."""

    headline: DecodedJoints
    predictions: np.ndarray
    """(N, K, 2) image px."""
    errors: np.ndarray
    """(N, K) in torso diameters, NaN where not scored."""
    metrics: dict[str, Any]
    """As `summarise` returns them."""
    decodings: list[dict[str, Any]]
    """Metrics of every decoding, with and without the flip test."""
    robustness: dict[str, Any]
    """As `measure_robustness` returns it."""
    heatmaps: np.ndarray | None
    """(N, H, W, K) heatmaps that were decoded; None for coordinates."""

    @property
    def without_torso(self) -> int:
        """The number of instances that are not scored because their torso is not annotated."""
        return count_without_torso(self.errors)


def evaluate_model(
    predict: Predict, codec: Codec, data: EvaluationSet, decoding: Decoding, scoring: Scoring
) -> EvaluationResult:
    """Evaluate a model with every decoding, and its robustness.

    Args:
        predict: the model.
        codec: the model's codec.
        data: test crops and their ground truth.
        decoding: decoding of the headline metrics.
        scoring: PCK protocol.
    """
    pixels = np.stack([crop.pixels for crop in data.crops])
    outputs, flipped_outputs = predict(pixels), predict(pixels[:, :, ::-1])
    decoded = list(decode_all(codec, outputs, flipped_outputs))
    headline = select_headline(decoded, decoding, scoring.flip_test)
    in_image = {entry.name: predictions.to_image(data.crops, entry.joints) for entry in decoded}
    errors = {
        name: normalised_errors(data.ground_truth, joints, scoring.torso_joints)
        for name, joints in in_image.items()
    }
    return EvaluationResult(
        headline=headline,
        predictions=in_image[headline.name],
        errors=errors[headline.name],
        metrics=_summarise(errors[headline.name], scoring, data.clusters),
        decodings=_compare_decodings(decoded, headline, errors, scoring, data.clusters),
        robustness=measure_robustness(
            lambda crops: codec.decode(predict(crops)),
            pixels,
            np.stack([crop.joints for crop in data.crops]),
            scoring.torso_joints,
            known=(codec.decode(outputs), codec.decode(flipped_outputs)),
        ),
        heatmaps=headline.outputs if isinstance(codec, Heatmaps) else None,
    )


def predict_joints(
    predict: Predict, codec: Codec, crops: Sequence[Crop], decoding: Decoding, flip_test: bool
) -> np.ndarray:
    """Return a model's predictions with the headline decoding: (N, K, 2) image px.

    Args:
        predict: the model.
        codec: the model's codec.
        crops: N crops.
        decoding: decoding of the headline metrics.
        flip_test: whether the headline metrics average over the crop and its horizontal flip.
    """
    pixels = np.stack([crop.pixels for crop in crops])
    decoded = list(decode_all(codec, predict(pixels), predict(pixels[:, :, ::-1])))
    return predictions.to_image(crops, select_headline(decoded, decoding, flip_test).joints)


def select_headline_scores(metrics: dict[str, Any]) -> dict[str, float | None]:
    """Select the main scores for `dvc metrics show`, named as in MLflow: {"pck_0.2_mean": ..., ...}."""
    pck = {f"pck_{threshold}_mean": groups["mean"] for threshold, groups in reversed(metrics["pck"].items())}
    (limit, area), *_ = metrics["auc"].items()
    limbs = {f"pck_{limit}_{group}": metrics["pck"][limit][group] for group in ("elbow", "wrist")}
    return pck | limbs | {f"auc_{limit}_mean": area["mean"]}


def _summarise(errors: np.ndarray, scoring: Scoring, clusters: np.ndarray) -> dict[str, Any]:
    return summarise(errors, scoring.thresholds, scoring.resamples, scoring.seed, clusters)


def _compare_decodings(
    decoded: Sequence[DecodedJoints],
    headline: DecodedJoints,
    errors: dict[str, np.ndarray],
    scoring: Scoring,
    clusters: np.ndarray,
) -> list[dict[str, Any]]:
    """Return the metrics of every decoding, and its paired gain over the headline decoding in percentage points."""
    results = []
    for entry in decoded:
        pair = {headline.name: errors[headline.name], entry.name: errors[entry.name]}
        differences = paired_differences(pair, scoring.thresholds, scoring.resamples, scoring.seed, clusters)
        results.append(
            {
                "name": entry.name,
                "headline": entry is headline,
                "forward_passes": 2 if entry.flip_test else 1,
                "gain": differences[0]["pck"] if differences else {},
                **_summarise(errors[entry.name], scoring, clusters),
            }
        )
    return results
