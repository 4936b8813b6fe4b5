import numpy as np
import pytest

from splitpose.crops.bounding_box import bbox_region, validate_bbox
from splitpose.crops.geometry import CropRegion
from splitpose.errors import InputError


def bbox(*edges: float) -> np.ndarray:
    return np.array(edges, float)


@pytest.mark.parametrize("edges", [(1, 2, 3, 4), (-50, -20, 10, 10), (0.1, 0.1, 0.2, 0.2)])
def test_valid_boxes_are_returned(edges):
    assert validate_bbox(bbox(*edges)).tolist() == list(edges)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ((1, 2, np.nan, 4), r"the box \(1, 2, nan, 4\) is incomplete or infinite; give all four numbers in px"),
        ((1, 2, np.inf, 4), r"the box \(1, 2, inf, 4\) is incomplete or infinite"),
        ((1, 2, 3, 2e6), r"is incomplete or infinite"),
        ((3, 2, 1, 4), r"the box \(3, 2, 1, 4\) is empty; x0 must be less than x1, and y0 less than y1"),
        ((1, 2, 1, 4), "is empty"),
        ((1, 4, 3, 2), "is empty"),
    ],
)
def test_invalid_box_is_reported(edges, message):
    with pytest.raises(InputError, match=message):
        validate_bbox(bbox(*edges))


def test_region_has_the_boxs_centre_and_its_padded_side():
    assert bbox_region(bbox(10, 20, 50, 40), 100, 100, 1.5) == CropRegion(30, 30, 60)
    assert bbox_region(bbox(-20, -20, 10, 60), 100, 100, 1.0) == CropRegion(-5, 20, 80)  # partly outside the image


@pytest.mark.parametrize("edges", [(100, 10, 120, 20), (-30, 10, 0, 20), (10, 80, 20, 90), (10, -9, 20, 0)])
def test_box_outside_the_image_is_reported(edges):
    with pytest.raises(InputError, match=r"is outside the image, which is 100 x 80 px"):
        bbox_region(bbox(*edges), 100, 80, 1.5)
