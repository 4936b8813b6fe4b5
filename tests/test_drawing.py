import numpy as np
import pytest
from support.synthetic_report import standing

from splitpose import drawing
from splitpose.skeleton import INDEX, JOINTS


def black(height=100, width=100):
    return np.zeros((height, width, 3), np.uint8)


def only(*joints):
    """Return the joints of a standing person, all others missing."""
    points = np.full((11, 2), np.nan)
    for joint in joints:
        points[INDEX[joint]] = standing()[INDEX[joint]]
    return points


@pytest.mark.parametrize(
    ("joint", "colour"), [("lwri", drawing.LEFT), ("rwri", drawing.RIGHT), ("nose", drawing.MIDDLE)]
)
def test_joint_has_the_colour_of_its_side(joint, colour):
    x, y = standing()[INDEX[joint]].astype(int)
    assert tuple(drawing.draw_joints(black(), only(joint))[y, x]) == colour


def test_limbs_between_the_sides_have_the_middle_colour():
    out = drawing.draw_joints(black(500, 500), 5 * only("lsho", "rsho"))
    assert tuple(out[200, 250]) == drawing.MIDDLE
    out = drawing.draw_joints(black(500, 500), 5 * only("lsho", "lhip"))
    assert tuple(out[300, 312]) == drawing.LEFT


def test_limb_of_a_missing_joint_is_not_drawn():
    out = drawing.draw_joints(black(), only("lelb", "lhip"))
    assert not out[40:56].any()


def test_the_input_is_not_changed():
    image = black()
    assert not drawing.draw_joints(image, only()).any()
    drawing.draw_joints(image, standing())
    assert not image.any()


def test_joints_far_outside_are_clipped():
    points = standing() * [1e12, -1e12]
    assert drawing.draw_joints(black(), points).shape == (100, 100, 3)


def test_lines_grow_with_the_image():
    def covered(size):
        out = drawing.draw_joints(black(size, size), standing() * size / 100, colour=drawing.WHITE)
        return np.count_nonzero(out.any(axis=2)) / size**2

    # Twice the size with lines as thin as before would cover half the share.
    assert covered(1600) == pytest.approx(covered(800), rel=0.3)


def test_one_colour_for_all():
    out = drawing.draw_joints(black(), standing(), colour=drawing.WHITE)
    assert (out == out[..., :1]).all()
    assert out.max() == 255


def test_contact_sheet_places_the_cells():
    high, wide = np.full((20, 10, 3), 10, np.uint8), np.full((10, 20, 3), 20, np.uint8)
    sheet = drawing.contact_sheet([high, wide, wide], columns=2, cell_width=10, gap=2)
    # Rows of 20 px and 5 px with gaps of 2 above, between and below; two columns of 10 px.
    assert sheet.shape == (2 + 20 + 2 + 5 + 2, 2 + 10 + 2 + 10 + 2, 3)
    assert (sheet[2:22, 2:12] == 10).all()
    assert (sheet[2:7, 14:24] == 20).all()
    assert (sheet[7:22, 14:24] == 255).all()
    assert (sheet[24:29, 2:12] == 20).all()


def test_every_joint_has_a_colour():
    assert {drawing._colour_of(joint) for joint in JOINTS} == {drawing.LEFT, drawing.RIGHT, drawing.MIDDLE}
