import json

import numpy as np
import pytest
import yaml
from support.synthetic_report import history, people
from support.tiny_project import tiny_profile

from splitpose import annotations
from splitpose.annotations import joints_of, with_joints
from splitpose.crops import tfrecords
from splitpose.crops.crop import Crop
from splitpose.evaluation import training_history
from splitpose.models import build
from splitpose.settings import Profile, load
from splitpose.skeleton import INDEX
from splitpose.stages.evaluate import EvaluationInputs, EvaluationOutputs, evaluate

pytestmark = pytest.mark.integration


def test_people_without_hips_are_counted_but_not_scored(repository, tmp_path):
    missing = [INDEX["lhip"], INDEX["rhip"]]
    joints = joints_of(people(6)).copy()
    joints[2, missing] = np.nan
    annotations.write(with_joints(people(6), joints), tmp_path / "annotations.parquet")
    to_crop = np.array([[0.32, 0, 0], [0, 0.32, 0]])  # images of 100 px, crops of 32
    crops = [Crop(f"p{k}", np.full((32, 32, 3), 90, np.uint8), 0.32 * joints[k], to_crop) for k in range(6)]
    (tmp_path / "crops").mkdir()
    tfrecords.write(map(tfrecords.encode, crops), tmp_path / "crops" / "test-0.tfrecord")
    training_history.write(history(), tmp_path / "history.csv")
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(tiny_profile(repository)))
    (tmp_path / "params.yaml").write_text("profile: profile\nvariants: {baseline: {}}\n")
    profile = load(Profile, tmp_path / "profile.yaml")
    (tmp_path / "repeats" / "1").mkdir(parents=True)
    weights = tmp_path / "repeats" / "1" / "final.weights.h5"
    build("baseline", 32, 0.25).save_weights(weights)

    evaluate(
        profile,
        tmp_path / "params.yaml",
        "baseline",
        EvaluationInputs(
            table=tmp_path / "annotations.parquet",
            crops=tmp_path / "crops",
            weights=weights,
            history=tmp_path / "history.csv",
            repeats=tmp_path / "repeats",
        ),
        EvaluationOutputs(
            metrics=tmp_path / "metrics.json",
            scores=tmp_path / "scores.json",
            predictions=tmp_path / "predictions.csv",
            repeat_predictions=tmp_path / "repeat_predictions",
            decodings=tmp_path / "decodings.json",
            robustness=tmp_path / "robustness.json",
            cases=tmp_path / "cases.jpg",
        ),
    )
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["n"], metrics["without_torso"]) == (6, 1)
    assert json.loads((tmp_path / "scores.json").read_text())["pck_0.2_mean"] == metrics["pck"]["0.2"]["mean"]
    (repeat,) = (tmp_path / "repeat_predictions").iterdir()
    assert repeat.name == "1.csv"
    assert repeat.read_bytes() == (tmp_path / "predictions.csv").read_bytes()
