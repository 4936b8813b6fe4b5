import pytest

from splitpose.errors import InputError
from splitpose.export.parity import check
from splitpose.settings import Conversion, Points

LIMITS = Conversion(calibration_crops=1, seed=0, max_difference=1e-3, max_points=Points(float16=0.3, int8=1.0))


def figures(difference=1e-3, float16=80.3, int8=79.0):
    """Of a model with 80 %, at the limits if nothing else is said."""
    found = {"float32": 80.0, "float16": float16, "int8": int8}
    return {
        precision: {"pck_0.2_mean": pck, "keras_pck_0.2_mean": 80.0, "max_difference": difference}
        for precision, pck in found.items()
    }


def test_at_the_limits_all_is_well():
    check("final", figures(), LIMITS)
    check("final", figures(int8=81.0, float16=79.7), LIMITS)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"difference": 2e-3}, r"final: float32's outputs differ by up to 0.002, allowed 0.001; look at"),
        ({"float16": 79.6}, r"final: float16 has a mean PCK@0.2 of 79.6, Keras 80.0, allowed are 0.3 points; look"),
        ({"int8": 78.9}, r"final: int8 has a mean PCK@0.2 of 78.9, Keras 80.0, allowed are 1.0 points; look"),
        ({"int8": 81.1}, r"int8 has a mean PCK@0.2 of 81.1"),
        ({"int8": float("nan")}, r"int8 has a mean PCK@0.2 of nan"),
        ({"difference": float("nan")}, r"float32's outputs differ by up to nan"),
        ({"float16": 70.0, "int8": 60.0}, r"float16 has .* of 70.0.*; int8 has .* of 60.0"),
    ],
)
def test_a_file_that_is_further_off_is_named_with_its_figures(wrong, message):
    with pytest.raises(InputError, match=message):
        check("final", figures(**wrong), LIMITS)
