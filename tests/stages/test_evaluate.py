import json

import numpy as np
import pytest
from support import yaml
from support.synthetic_report import history, people
from support.tiny_project import tiny_profile

from splitpose import annotations
from splitpose.annotations import joints_of, with_joints
from splitpose.crops import tfrecords
from splitpose.crops.crop import Crop
from splitpose.errors import InputError
from splitpose.evaluation import predictions, training_history
from splitpose.models import build
from splitpose.settings import Profile, load
from splitpose.skeleton import INDEX
from splitpose.stages.evaluate import EvaluationInputs, EvaluationOutputs, evaluate

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(repository, tmp_path):
    """Return a folder with six test people, p2 without hips, and the weights of the repeats 1 and 3."""
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
    (tmp_path / "params.yaml").write_text("profile: profile\nrepeats: [1, 3]\nvariants: {baseline: {}}\n")
    for repeat in (1, 3):
        (tmp_path / "repeats" / str(repeat)).mkdir(parents=True)
        model = build("baseline", 32, 0.25)
        model.trainable_variables[-1].assign_add(np.full(22, 0.1 * repeat))  # the bias of the coordinates
        model.save_weights(tmp_path / "repeats" / str(repeat) / "final.weights.h5")
    return tmp_path


def run(folder, selected=3):
    evaluate(
        load(Profile, folder / "profile.yaml"),
        folder / "params.yaml",
        "baseline",
        EvaluationInputs(
            table=folder / "annotations.parquet",
            crops=folder / "crops",
            weights=folder / "repeats" / str(selected) / "final.weights.h5",
            history=folder / "history.csv",
            repeats=folder / "repeats",
        ),
        EvaluationOutputs(
            metrics=folder / "metrics.json",
            scores=folder / "scores.json",
            predictions=folder / "predictions.csv",
            repeat_predictions=folder / "repeat_predictions",
            decodings=folder / "decodings.json",
            robustness=folder / "robustness.json",
            cases=folder / "cases.jpg",
        ),
    )


def test_people_without_hips_are_counted_but_not_scored(folder):
    run(folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["n"], metrics["without_torso"]) == (6, 1)
    assert json.loads((folder / "scores.json").read_text())["pck_0.2_mean"] == metrics["pck"]["0.2"]["mean"]


def test_the_predictions_of_every_repeat_are_written_in_one_format(folder):
    run(folder)
    first, third = (folder / "repeat_predictions" / f"{repeat}.csv" for repeat in (1, 3))
    assert sorted((folder / "repeat_predictions").iterdir()) == [first, third]
    assert third.read_bytes() == (folder / "predictions.csv").read_bytes()
    (ids, joints), (other_ids, other_joints) = predictions.read(first), predictions.read(third)
    assert ids == other_ids == [f"p{k}" for k in range(6)]
    assert (joints < other_joints).all()


def test_a_missing_repeat_is_an_error_and_nothing_is_written(folder):
    (folder / "repeats" / "1" / "final.weights.h5").unlink()
    before = sorted(folder.rglob("*"))
    with pytest.raises(InputError, match=r"1/final.weights.h5: no such file; `dvc repro fine_tune@baseline-1` wr"):
        run(folder)
    assert sorted(folder.rglob("*")) == before
