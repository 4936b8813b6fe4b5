import numpy as np
import pytest

from splitpose.codecs import Coordinates, Heatmaps
from splitpose.crops.crop import Crop
from splitpose.evaluation.model_evaluation import (
    EvaluationSet,
    evaluate_model,
    predict_joints,
    select_headline_scores,
)
from splitpose.settings import Scoring
from splitpose.skeleton import FLIP_INDICES, INDEX

SIZE = 32
SCORING = Scoring(
    thresholds=(0.1, 0.2), torso="lsho-rhip", flip_test=True, bootstrap_cluster="image", resamples=20, seed=0
)


def standing() -> np.ndarray:
    """Return (K, 2) crop px with a torso of 10 px."""
    joints = np.full((11, 2), 15.0)
    joints[INDEX["lsho"]], joints[INDEX["rhip"]] = (18, 10), (12, 18)
    return joints


def evaluation_set(count: int) -> EvaluationSet:
    """Return people in images of twice the crops' size, each with a mark in the upper left corner."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[0, 0] = 255
    to_crop = np.array([[0.5, 0, 0], [0, 0.5, 0]])
    crops = [Crop(f"p{n}", pixels, standing(), to_crop) for n in range(count)]
    return EvaluationSet(crops, np.repeat(2 * standing()[None], count, axis=0), np.arange(count))


def perfect_model(codec):
    """Return a model that predicts the standing pose, and its flip for flipped crops, which the mark identifies."""
    flipped = standing()[FLIP_INDICES] * [-1, 1] + [SIZE - 1, 0]

    def predict(crops: np.ndarray) -> np.ndarray:
        is_flipped = crops[:, 0, -1, 0] > crops[:, 0, 0, 0]
        joints = np.where(is_flipped[:, None, None], flipped, standing())
        return np.asarray(codec.encode(joints.astype(np.float32)))

    return predict


@pytest.mark.parametrize(
    ("codec", "headline", "decodings"),
    [
        (Coordinates(SIZE), "coordinates + flip test", 2),
        (Heatmaps(SIZE, 3.0, decoding="dark"), "dark + flip test", 4),
    ],
)
def test_a_perfect_model(codec, headline: str, decodings: int) -> None:
    result = evaluate_model(perfect_model(codec), codec, evaluation_set(4), "dark", SCORING)
    assert result.headline.name == headline
    np.testing.assert_allclose(result.predictions, evaluation_set(4).ground_truth, atol=0.5)
    crops = evaluation_set(4).crops
    joints = predict_joints(perfect_model(codec), codec, crops, "dark", SCORING.flip_test)
    np.testing.assert_array_equal(joints, result.predictions)
    assert result.metrics["pck"]["0.2"]["mean"] == 100
    assert result.without_torso == 0
    assert [one["headline"] for one in result.decodings] == [one["name"] == headline for one in result.decodings]
    assert [one["forward_passes"] for one in result.decodings] == [1, 2] * (decodings // 2)
    assert result.robustness["flip_equivariance"]["passed"]
    assert (result.heatmaps is None) == isinstance(codec, Coordinates)


def test_the_headline_has_no_gain_over_itself() -> None:
    result = evaluate_model(perfect_model(Coordinates(SIZE)), Coordinates(SIZE), evaluation_set(4), "dark", SCORING)
    gains = {one["name"]: one["gain"] for one in result.decodings}
    assert gains["coordinates + flip test"] == {}
    assert gains["coordinates"]["0.2"]["mean"]["difference"] == 0


def test_headline_scores_are_named_as_in_mlflow_largest_threshold_first() -> None:
    at = {"0.1": {"mean": 50.0, "elbow": 40.0, "wrist": 30.0}, "0.2": {"mean": 80.0, "elbow": 70.0, "wrist": None}}
    scores = select_headline_scores({"pck": at, "auc": {"0.2": {"mean": 45.0, "ci95": {"mean": [44.0, 46.0]}}}})
    assert list(scores.items()) == [
        ("pck_0.2_mean", 80.0),
        ("pck_0.1_mean", 50.0),
        ("pck_0.2_elbow", 70.0),
        ("pck_0.2_wrist", None),
        ("auc_0.2_mean", 45.0),
    ]
