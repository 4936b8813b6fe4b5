import numpy as np
import pytest

from splitpose.scoring.summary import summarise
from splitpose.skeleton import INDEX


def test_groups_by_hand():
    errors = np.zeros((4, 11))
    errors[0, INDEX["lelb"]] = errors[:2, INDEX["relb"]] = 0.15
    scores = summarise(errors, (0.1, 0.2), resamples=50, seed=0)["pck"]
    assert scores["0.1"]["lelb"] == 75.0
    assert scores["0.1"]["relb"] == 50.0
    assert scores["0.1"]["elbow"] == 62.5
    assert scores["0.1"]["mean"] == pytest.approx((9 * 100 + 75 + 50) / 11, abs=1e-3)
    assert scores["0.2"]["mean"] == 100.0


def test_interval_of_a_share_is_the_binomials():
    errors = np.zeros((400, 11))
    errors[:100, INDEX["nose"]] = 1.0
    low, high = summarise(errors, (0.2,), resamples=4000, seed=1)["ci95"]["0.2"]["nose"]
    # 75 +/- 1.96 * sqrt(0.75 * 0.25 / 400) = 75 +/- 4.24
    assert low == pytest.approx(70.76, abs=0.5)
    assert high == pytest.approx(79.24, abs=0.5)


def test_a_joint_that_nobody_has_is_none():
    errors = np.zeros((5, 11))
    errors[:, INDEX["leye"]] = np.nan
    scores = summarise(errors, (0.2,), resamples=20, seed=0)
    assert scores["pck"]["0.2"]["leye"] is None
    assert scores["pck"]["0.2"]["mean"] == 100.0
    assert scores["ci95"]["0.2"]["leye"] is None
    assert scores["pck"]["0.2"]["reye"] == 100.0
