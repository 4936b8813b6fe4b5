import numpy as np
import pandas as pd
import pytest

from splitpose import annotations
from splitpose.crops.geometry import CropRegion
from splitpose.crops.instances import Instance
from splitpose.errors import InputError
from splitpose.promotion.differences import Difference, difference, mean_pose, score, slice_differences
from splitpose.skeleton import INDEX, JOINTS

PEOPLE = 400
ALONE = np.arange(PEOPLE)


def found_but(joint: str, *missed: range) -> np.ndarray:
    """Errors of people whose joints are all found at once, but this joint of these people."""
    errors = np.zeros((PEOPLE, 11))
    for people in missed:
        errors[list(people), INDEX[joint]] = np.inf
    return errors


def table(groups: list[str]) -> pd.DataFrame:
    """People in one pose, of these groups, each in a picture alone."""
    joints = np.random.default_rng(0).uniform(0, 100, (1, 11, 2)).repeat(len(groups), axis=0)
    names = [str(number) for number in range(len(groups))]
    rows = pd.DataFrame({"id": names, "image": names, "split": "test", "group": groups})
    return annotations.with_joints(rows, joints)


def test_difference_by_hand(profile):
    champion, challenger = found_but("nose"), found_but("nose", range(44))
    assert (score(champion), score(challenger)) == (100.0, 99.0)  # 44 of 4400 joints
    found = difference(champion, challenger, ALONE, profile.scoring)
    assert (found.people, found.points) == (PEOPLE, -1.0)
    # the share of people who lost a joint is 0.11 +/- 1.96 * sqrt(0.11 * 0.89 / 400) = 0.11 +/- 0.031, of 11 joints
    assert found.interval == (pytest.approx(-1.28, abs=0.08), pytest.approx(-0.72, abs=0.08))
    assert found.is_a_loss and not difference(challenger, champion, ALONE, profile.scoring).is_a_loss


def test_people_of_one_picture_alone_give_no_interval(profile):
    found = difference(found_but("nose"), found_but("nose", range(44)), np.zeros(PEOPLE), profile.scoring)
    assert (found.points, found.interval, found.is_a_loss) == (-1.0, None, False)


def test_other_people_are_not_compared(profile):
    other = found_but("nose")
    other[3, 5] = np.nan
    with pytest.raises(InputError, match="challenger and champion are not scored on the same joints of the same"):
        difference(found_but("nose"), other, ALONE, profile.scoring)


@pytest.mark.parametrize(("high", "is_a_loss"), [(-0.001, True), (0.0, False), (0.001, False)])
def test_a_loss_lies_below_zero_as_a_whole(high, is_a_loss):
    assert Difference("", 30, -1.0, (-2.0, high)).is_a_loss is is_a_loss


def test_slices_of_thirty_people_are_compared(profile):
    rows = table(["a"] * 30 + ["b"] * 29 + ["c"] * 341)
    challenger = found_but("lwri", range(30))
    found = {
        one.name: one for one in slice_differences(rows, found_but("lwri"), challenger, ALONE, profile.scoring)
    }
    assert (found["group: a"].people, found["group: a"].points) == (30, pytest.approx(-100 / 11, abs=5e-4))
    assert found["group: a"].is_a_loss
    assert (found["group: c"].people, found["group: c"].points, found["group: c"].is_a_loss) == (341, 0.0, False)
    assert not any("29" in name or name == "group: b" for name in found)
    # 5 joints are left ones; 30 of 400 people lost one of them
    assert found["side: left joints"].points == pytest.approx(-100 * 30 / 400 / 5, abs=5e-4)
    assert found["side: right joints"].points == 0.0


def test_many_slices_have_wider_intervals(profile):
    scoring = profile.scoring.model_copy(update={"resamples": 4000})
    champion, challenger = found_but("nose"), found_but("nose", range(0, PEOPLE, 9))
    rows = table(["a"] * PEOPLE)
    (whole,) = (
        one for one in slice_differences(rows, champion, challenger, ALONE, scoring) if one.name == "group: a"
    )
    alone = difference(champion, challenger, ALONE, scoring)
    assert whole.points == alone.points
    slices = len(slice_differences(rows, champion, challenger, ALONE, scoring))
    assert slices == 8
    # of a normal distribution, 1 - 0.05 / 8 lies within 2.73 standard deviations, 0.95 within 1.96
    width, usual = (high - low for low, high in (whole.interval, alone.interval))
    assert width / usual == pytest.approx(2.73 / 1.96, abs=0.12)


def test_a_slice_within_one_picture_has_no_interval(profile):
    rows = table(["a"] * 30 + ["b"] * 370)
    pictures = np.where(ALONE < 30, 0, ALONE)
    found = slice_differences(rows, found_but("nose"), found_but("nose", range(30)), pictures, profile.scoring)
    intervals = {one.name: one.interval for one in found}
    assert intervals["group: a"] is None and intervals["group: b"] == (0.0, 0.0)


def test_mean_pose_is_that_within_the_squares():
    def person(x: float, side: float, nose: tuple[float, float]) -> Instance:
        joints = np.full((len(JOINTS), 2), np.nan)
        joints[INDEX["nose"]] = nose
        return Instance("", "", (1, 1), joints, CropRegion(x, 0, side))

    # noses at 0.2 and 0.4 sides right of the middle, 0.1 below and above it: the mean is 0.3 right, 0
    found = mean_pose([person(100, 10, (102, 1)), person(0, 100, (40, -10))])
    np.testing.assert_allclose(found[:, INDEX["nose"]], [[103, 0], [30, 0]])
    assert np.isnan(found[:, INDEX["lwri"]]).all()
