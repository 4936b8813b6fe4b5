import numpy as np
import pytest

from splitpose.scoring.pck import normalised_errors, pck, torso_diameter
from splitpose.skeleton import INDEX


def person(lsho=(0, 0), rhip=(30, 40)):
    joints = np.zeros((11, 2))
    joints[INDEX["lsho"]], joints[INDEX["rhip"]] = lsho, rhip
    joints[INDEX["lhip"]] = [0, 10]
    return joints


def test_torso_by_hand():
    assert torso_diameter(person()[None])[0] == 50.0
    assert torso_diameter(person()[None], ("rsho", "lhip"))[0] == 10.0


def test_errors_by_hand():
    predicted = person()
    predicted[INDEX["nose"]] = [6, 8]
    errors = normalised_errors(person()[None], predicted[None])
    assert errors[0, INDEX["nose"]] == pytest.approx(10 / 50)
    assert errors.sum() == pytest.approx(0.2)


def test_threshold_is_included():
    errors = np.array([[0.2], [0.2000001], [0.1], [np.nan]])
    assert pck(errors, 0.2)[0] == pytest.approx(100 * 2 / 3)


def test_missing_joints_are_left_out_and_missing_predictions_are_wrong():
    truth, predicted = np.stack([person()] * 2), np.stack([person()] * 2)
    truth[0, INDEX["nose"]] = np.nan
    predicted[1, INDEX["lwri"]] = np.nan
    scores = pck(normalised_errors(truth, predicted), 0.2)
    assert scores[INDEX["nose"]] == 100.0
    assert scores[INDEX["lwri"]] == 50.0


def test_a_person_without_a_torso_is_not_scored():
    for truth in (person(lsho=(np.nan, np.nan)), person(rhip=(0, 0))):
        assert np.isnan(normalised_errors(truth[None], person()[None])).all()


def test_nobody_annotated():
    assert np.isnan(pck(np.full((3, 1), np.nan), 0.2)[0])


def test_known_answers_on_real_annotations(shared):
    """Rows moved by a known share of their torso: just inside a threshold all are found, just outside none."""
    from splitpose.scoring.predictions import read

    _, truth = read(shared / "flic" / "annotations_train.csv")
    diameter = torso_diameter(truth)[:, None, None]
    inside, outside = (truth + diameter * [share, 0.0] for share in (0.1999, 0.2001))
    assert (pck(normalised_errors(truth, inside), 0.2) == 100).all()
    assert (pck(normalised_errors(truth, outside), 0.2) == 0).all()
