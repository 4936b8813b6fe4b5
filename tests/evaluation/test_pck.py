from pathlib import Path

import numpy as np
import pytest

from splitpose.evaluation.joints_csv import read
from splitpose.evaluation.pck import auc_contributions, count_without_torso, normalised_errors, pck, torso_diameter
from splitpose.skeleton import INDEX, observer_centric

Point = tuple[float, float]


def person(lsho: Point = (0, 0), rhip: Point = (30, 40)) -> np.ndarray:
    joints = np.zeros((11, 2))
    joints[INDEX["lsho"]], joints[INDEX["rhip"]] = lsho, rhip
    joints[INDEX["lhip"]] = [0, 10]
    return joints


def area_under_pck(errors: np.ndarray, limit: float) -> np.ndarray:
    """Return percent, (N, K) -> (K,): the mean contribution of the scored people."""
    area: np.ndarray = 100 * auc_contributions(errors, limit).sum(axis=0) / (~np.isnan(errors)).sum(axis=0)
    return area


def test_torso_calculated_manually() -> None:
    assert torso_diameter(person()[None])[0] == 50.0
    assert torso_diameter(person()[None], ("rsho", "lhip"))[0] == 10.0


def test_errors_calculated_manually() -> None:
    predicted = person()
    predicted[INDEX["nose"]] = [6, 8]
    errors = normalised_errors(person()[None], predicted[None])
    assert errors[0, INDEX["nose"]] == pytest.approx(10 / 50)
    assert errors.sum() == pytest.approx(0.2)


def test_the_torso_is_that_of_the_truth() -> None:
    predicted = person(lsho=(-60, -80))  # a torso of 150; the truth's is 50
    assert normalised_errors(person()[None], predicted[None])[0, INDEX["lsho"]] == 2.0


def test_threshold_is_included() -> None:
    errors = np.array([[0.2], [0.2000001], [0.1], [np.nan]])
    assert pck(errors, 0.2)[0] == pytest.approx(100 * 2 / 3)
    predicted = person()
    predicted[INDEX["nose"]] = [0, 10]  # of a torso of 50
    assert pck(normalised_errors(person()[None], predicted[None]), 0.2)[INDEX["nose"]] == 100.0


def test_missing_joints_are_left_out_and_missing_predictions_are_wrong() -> None:
    truth, predicted = np.stack([person()] * 2), np.stack([person()] * 2)
    truth[0, INDEX["nose"]] = np.nan
    predicted[1, INDEX["lwri"]] = np.nan
    errors = normalised_errors(truth, predicted)
    for scores in (pck(errors, 0.2), area_under_pck(errors, 0.2)):
        assert scores[INDEX["nose"]] == 100.0
        assert scores[INDEX["lwri"]] == 50.0


def test_a_person_without_a_torso_is_not_scored() -> None:
    for truth in (person(lsho=(np.nan, np.nan)), person(rhip=(0, 0))):
        assert np.isnan(normalised_errors(truth[None], person()[None])).all()


def test_people_without_a_torso_are_counted() -> None:
    truth = np.stack([person(), person(rhip=(np.nan, np.nan)), person(), person(lsho=(np.nan, np.nan))])
    truth[0, INDEX["nose"]] = np.nan  # a missing joint of the torso's is meant, not any other
    assert count_without_torso(normalised_errors(truth, truth)) == 2
    assert count_without_torso(normalised_errors(truth, np.full_like(truth, np.nan))) == 2  # found is not asked


def test_no_annotations() -> None:
    assert np.isnan(pck(np.full((3, 1), np.nan), 0.2)[0])
    assert (auc_contributions(np.full((3, 1), np.nan), 0.2) == 0).all()


def test_area_calculated_manually() -> None:
    # One of four is found from 0 on, one from 0.05 on, one from 0.1 on, one not before 0.3:
    # PCK is 25 up to 0.05, 50 up to 0.1 and 75 up to 0.2; (25 * 0.05 + 50 * 0.05 + 75 * 0.1) / 0.2 = 56.25.
    errors = np.array([[0.0], [0.05], [0.1], [0.3], [np.nan]])
    assert area_under_pck(errors, 0.2)[0] == pytest.approx(56.25)


def test_area_is_the_mean_of_pck_over_all_thresholds() -> None:
    errors = np.random.default_rng(0).exponential(0.1, (50, 3))
    fine = (np.arange(2000) + 0.5) / 2000 * 0.2
    mean = np.mean([pck(errors, float(threshold)) for threshold in fine], axis=0)
    np.testing.assert_allclose(area_under_pck(errors, 0.2), mean, atol=0.05)


@pytest.fixture(scope="module")
def flic(shared: Path) -> np.ndarray:
    """3,987 real people, observer-centric, all with all joints."""
    return read(shared / "flic" / "annotations_train.csv").joints


def away(truth: np.ndarray, share: float, torso: tuple[str, str] = ("lsho", "rhip")) -> np.ndarray:
    """Return every joint moved by this share of the person's torso diameter, each in another direction."""
    angle = np.linspace(0, 2 * np.pi, truth.shape[0] * truth.shape[1]).reshape(truth.shape[:2])
    step = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    moved: np.ndarray = truth + share * torso_diameter(truth, torso)[:, None, None] * step
    return moved


def test_all_people_moved_by_a_known_share_of_the_torso(flic: np.ndarray) -> None:
    errors = normalised_errors(flic, away(flic, 0.15))
    assert (pck(errors, 0.1) == 0).all()
    assert (pck(errors, 0.2) == 100).all()
    np.testing.assert_allclose(area_under_pck(errors, 0.2), 25)  # 1 - 0.15 / 0.2
    for share, found in ((0.1999, 100), (0.2001, 0)):
        assert (pck(normalised_errors(flic, away(flic, share)), 0.2) == found).all()


def test_a_known_share_of_people_moved(flic: np.ndarray) -> None:
    predicted = flic.copy()
    predicted[:997] = away(flic[:997], 0.3)
    errors = normalised_errors(flic, predicted)
    np.testing.assert_allclose(pck(errors, 0.2), 100 * 2990 / 3987)
    np.testing.assert_allclose(area_under_pck(errors, 0.2), 100 * 2990 / 3987)
    np.testing.assert_allclose(area_under_pck(errors, 0.4), 100 * (2990 + 997 / 4) / 3987)


def test_a_known_joint_moved(flic: np.ndarray) -> None:
    predicted = flic.copy()
    predicted[:, INDEX["lwri"]] = away(flic, 0.3)[:, INDEX["lwri"]]
    expected = np.full(11, 100.0)
    expected[INDEX["lwri"]] = 0
    np.testing.assert_array_equal(pck(normalised_errors(flic, predicted), 0.2), expected)


def test_the_other_diagonal(flic: np.ndarray) -> None:
    other = ("rsho", "lhip")
    predicted = away(flic, 0.15, other)
    assert (pck(normalised_errors(flic, predicted, other), 0.1) == 0).all()
    assert (pck(normalised_errors(flic, predicted, other), 0.2) == 100).all()
    # 0.15 of the other diagonal is within 0.2 of the published one where that is at least 3/4 as long.
    enough = torso_diameter(flic) / torso_diameter(flic, other) >= 0.75
    assert 0 < enough.mean() < 1
    np.testing.assert_allclose(pck(normalised_errors(flic, predicted), 0.2), 100 * enough.mean())


def test_viewpoint_of_real_annotations(flic: np.ndarray, shared: Path) -> None:
    person_centric = read(shared / "flic" / "annotations_train_person_centric.csv").joints
    turned = 199  # training rows whose right shoulder is right of the left one
    np.testing.assert_array_equal(observer_centric(person_centric), flic)
    as_is = pck(normalised_errors(person_centric, flic), 0.05)
    assert as_is[INDEX["lsho"]] == pytest.approx(100 * (3987 - turned) / 3987)
    assert as_is[INDEX["nose"]] == 100
