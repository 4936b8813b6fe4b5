import numpy as np
import pytest

from splitpose.evaluation.pck_curves import THRESHOLDS, curve_rows, pck_curves
from splitpose.skeleton import INDEX

PEOPLE = 400


def halves(low: float, high: float, people: int = PEOPLE) -> np.ndarray:
    """Return (N, K) errors: every other person has the lower one at all joints, the others the higher one."""
    return np.repeat(np.tile([low, high], people // 2)[:, None], 11, axis=1)


def at(values: list, threshold: float):
    """Return the value of a curve at a threshold."""
    return values[THRESHOLDS.index(threshold)]


@pytest.mark.parametrize("group", ["mean", "elbow", "wrist"])
def test_curves_and_bands(group: str) -> None:
    curves = pck_curves({"final": halves(0.1, 0.25)}, seed=0)
    assert curves["thresholds"] == list(THRESHOLDS)
    curve = curves["variants"]["final"][group]
    assert [at(curve["pck"], threshold) for threshold in (0.095, 0.1, 0.2, 0.245, 0.25)] == [0, 50, 50, 50, 100]
    # Half of 400 people: 1.96 * sqrt(0.5 * 0.5 / 400) = 4.9 %.
    assert at(curve["ci95"], 0.2) == pytest.approx([45.1, 54.9], abs=0.8)
    assert at(curve["ci95"], 0.25) == [100, 100]
    assert curves["annotators"] is None


def test_clusters_widen_the_bands() -> None:
    four_by_four = np.repeat(np.arange(PEOPLE // 4), 4)
    errors = np.sort(halves(0.1, 0.25), axis=0)  # The people of an image are all correct or all wrong.
    curves = pck_curves({"final": errors}, seed=0, clusters=four_by_four)
    # As if there were 100: 1.96 * sqrt(0.5 * 0.5 / 100) = 9.8 %.
    assert at(curves["variants"]["final"]["elbow"]["ci95"], 0.2) == pytest.approx([40.2, 59.8], abs=1.5)


def test_annotators_have_a_curve_without_a_band() -> None:
    curves = pck_curves({"final": halves(0.1, 0.25)}, seed=0, annotator_distances=halves(0.02, 0.12, 4))
    for group in ("elbow", "wrist"):
        curve = curves["annotators"][group]
        assert [at(curve, threshold) for threshold in (0.015, 0.02, 0.115, 0.12)] == [0, 50, 50, 100]
    without = pck_curves({"final": halves(0.1, 0.25)}, seed=0, annotator_distances=np.empty((0, 11)))
    assert without["annotators"] is None


def test_a_group_without_annotations_has_no_values() -> None:
    errors = halves(0.1, 0.25)
    errors[:, [INDEX["lwri"], INDEX["rwri"]]] = np.nan
    curves = pck_curves({"final": errors}, seed=0)["variants"]["final"]
    assert at(curves["elbow"]["pck"], 0.2) == 50
    assert set(curves["wrist"]["pck"]) == set(curves["wrist"]["ci95"]) == {None}


def test_rows_have_the_curve_of_every_variant() -> None:
    curves = pck_curves({"baseline": halves(0.1, 0.4, 4), "final": halves(0.05, 0.28, 4)}, seed=0)
    rows = curve_rows(curves)
    assert list(rows[0]) == ["variant", "threshold", "mean", "elbow", "wrist"]
    assert [row["variant"] for row in rows] == ["baseline"] * 61 + ["final"] * 61
    values = {(row["variant"], row["threshold"]): row["wrist"] for row in rows}
    assert (values["baseline", 0.2], values["final", 0.275], values["final", 0.28]) == (50, 50, 100)
