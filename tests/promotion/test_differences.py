import numpy as np
import pandas as pd
import pytest

from splitpose import annotations
from splitpose.crops.geometry import CropRegion
from splitpose.crops.instances import Instance
from splitpose.errors import InputError
from splitpose.promotion.differences import Difference, difference, mean_pose, score, slice_differences
from splitpose.skeleton import INDEX, JOINTS

INSTANCES = 400
NO_CLUSTERS = np.arange(INSTANCES)


def errors_missing(joint: str, *missed: range) -> np.ndarray:
    """Return errors of 0 for all joints of all instances but infinity for this joint of these instances."""
    errors = np.zeros((INSTANCES, 11))
    for instances in missed:
        errors[list(instances), INDEX[joint]] = np.inf
    return errors


def table(groups: list[str]) -> pd.DataFrame:
    """Return instances in one pose, in these groups, one per image."""
    joints = np.random.default_rng(0).uniform(0, 100, (1, 11, 2)).repeat(len(groups), axis=0)
    names = [str(number) for number in range(len(groups))]
    rows = pd.DataFrame({"id": names, "image": names, "split": "test", "group": groups})
    return annotations.with_joints(rows, joints)


def test_difference_of_a_known_number_of_lost_joints(profile):
    champion, challenger = errors_missing("nose"), errors_missing("nose", range(44))
    assert (score(champion), score(challenger)) == (100.0, 99.0)  # 44 of 4400 joints
    found = difference(champion, challenger, NO_CLUSTERS, profile.scoring)
    assert (found.instances, found.points) == (INSTANCES, -1.0)
    # share of instances with a lost joint: 0.11 +/- 1.96 * sqrt(0.11 * 0.89 / 400) = 0.11 +/- 0.031, of 11 joints
    assert found.interval == (pytest.approx(-1.28, abs=0.08), pytest.approx(-0.72, abs=0.08))
    assert (
        found.is_significant_loss
        and not difference(challenger, champion, NO_CLUSTERS, profile.scoring).is_significant_loss
    )


def test_instances_of_a_single_cluster_have_no_interval(profile):
    found = difference(
        errors_missing("nose"), errors_missing("nose", range(44)), np.zeros(INSTANCES), profile.scoring
    )
    assert (found.points, found.interval, found.is_significant_loss) == (-1.0, None, False)


def test_different_instances_are_not_compared(profile):
    other = errors_missing("nose")
    other[3, 5] = np.nan
    with pytest.raises(InputError, match="challenger and champion are not scored on the same joints of the same"):
        difference(errors_missing("nose"), other, NO_CLUSTERS, profile.scoring)


@pytest.mark.parametrize(("high", "is_loss"), [(-0.001, True), (0.0, False), (0.001, False)])
def test_a_significant_loss_has_its_whole_interval_below_zero(high, is_loss):
    assert Difference("", 30, -1.0, (-2.0, high)).is_significant_loss is is_loss


def test_slices_of_thirty_instances_are_compared(profile):
    rows = table(["a"] * 30 + ["b"] * 29 + ["c"] * 341)
    challenger = errors_missing("lwri", range(30))
    found = {
        one.name: one
        for one in slice_differences(rows, errors_missing("lwri"), challenger, NO_CLUSTERS, profile.scoring)
    }
    assert (found["group: a"].instances, found["group: a"].points) == (30, pytest.approx(-100 / 11, abs=5e-4))
    assert found["group: a"].is_significant_loss
    assert (found["group: c"].instances, found["group: c"].points, found["group: c"].is_significant_loss) == (
        341,
        0.0,
        False,
    )
    assert not any("29" in name or name == "group: b" for name in found)
    # 5 joints are on the left; 30 of 400 instances lost one of them
    assert found["side: left joints"].points == pytest.approx(-100 * 30 / 400 / 5, abs=5e-4)
    assert found["side: right joints"].points == 0.0


def test_many_slices_have_wider_intervals(profile):
    scoring = profile.scoring.model_copy(update={"resamples": 4000})
    champion, challenger = errors_missing("nose"), errors_missing("nose", range(0, INSTANCES, 9))
    rows = table(["a"] * INSTANCES)
    (whole,) = (
        one for one in slice_differences(rows, champion, challenger, NO_CLUSTERS, scoring) if one.name == "group: a"
    )
    uncorrected_difference = difference(champion, challenger, NO_CLUSTERS, scoring)
    assert whole.points == uncorrected_difference.points
    slices = len(slice_differences(rows, champion, challenger, NO_CLUSTERS, scoring))
    assert slices == 8
    # of a normal distribution, 1 - 0.05 / 8 lies within 2.73 standard deviations, 0.95 within 1.96
    corrected, uncorrected = (high - low for low, high in (whole.interval, uncorrected_difference.interval))
    assert corrected / uncorrected == pytest.approx(2.73 / 1.96, abs=0.12)


def test_a_slice_of_a_single_cluster_has_no_interval(profile):
    rows = table(["a"] * 30 + ["b"] * 370)
    clusters = np.where(NO_CLUSTERS < 30, 0, NO_CLUSTERS)
    found = slice_differences(
        rows, errors_missing("nose"), errors_missing("nose", range(30)), clusters, profile.scoring
    )
    intervals = {one.name: one.interval for one in found}
    assert intervals["group: a"] is None and intervals["group: b"] == (0.0, 0.0)


def test_mean_pose_is_relative_to_the_crop_regions():
    def person(x: float, side: float, nose: tuple[float, float]) -> Instance:
        joints = np.full((len(JOINTS), 2), np.nan)
        joints[INDEX["nose"]] = nose
        return Instance("", "", (1, 1), joints, CropRegion(x, 0, side))

    # noses at 0.2 and 0.4 sides right of the centre, 0.1 below and above it: the mean is 0.3 right, 0
    found = mean_pose([person(100, 10, (102, 1)), person(0, 100, (40, -10))])
    np.testing.assert_allclose(found[:, INDEX["nose"]], [[103, 0], [30, 0]])
    assert np.isnan(found[:, INDEX["lwri"]]).all()
