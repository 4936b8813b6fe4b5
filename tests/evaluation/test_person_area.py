import numpy as np

from splitpose.evaluation.person_area import person_areas


def test_the_annotated_area_then_the_box_then_the_joints() -> None:
    joints = np.full((5, 11, 2), np.nan)
    joints[:4, 0], joints[:3, 1] = [10, 10], [40, 10]  # 30 px on a line
    boxes = np.full((5, 4), np.nan)
    boxes[:2] = [0, 0, 10, 20]
    boxes[2] = [5, 5, 5, 5]  # "no box" of many tools
    areas, sources = person_areas(np.array([700.0, 0.0, np.nan, np.nan, np.nan]), boxes, joints)
    np.testing.assert_allclose(areas, [700, 0.53 * 200, 900, 700, 700])
    assert sources.tolist() == ["annotation", "box", "joints", "median", "median"]


def test_no_area_at_all() -> None:
    areas, sources = person_areas(np.full(1, np.nan), np.full((1, 4), np.nan), np.full((1, 11, 2), np.nan))
    assert (np.isnan(areas).tolist(), sources.tolist()) == ([True], ["none"])
