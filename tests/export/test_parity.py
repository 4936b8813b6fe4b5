import pytest

from splitpose.errors import InputError
from splitpose.export.parity import check_parity
from splitpose.settings import Conversion, MaxPckDrop

LIMITS = Conversion(
    calibration_crops=1, seed=0, max_difference=1e-3, max_pck_drop=MaxPckDrop(float16=0.3, int8=1.0)
)


def results(difference=1e-3, float16=80.3, int8=79.0):
    """Return the results of a model with 80 %, by default exactly at the limits."""
    pcks = {"float32": 80.0, "float16": float16, "int8": int8}
    return {
        precision: {
            "pck_0.2_mean": pck,
            "keras_pck_0.2_mean": 80.0,
            "max_difference": difference,
            "test_instances": 9,
        }
        for precision, pck in pcks.items()
    }


def test_results_at_the_limits_pass():
    check_parity("final", results(), LIMITS)
    check_parity("final", results(int8=81.0, float16=79.7), LIMITS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"difference": 2e-3}, r"^final: float32 outputs differ by up to 0.002 \(limit 0.001\); check the model"),
        (
            {"float16": 79.6},
            r"^final: float16 .* on all 9 test instances is 79.6, .* Keras model 80.0 \(limit 0.3 points\); check",
        ),
        (
            {"int8": 78.9},
            r"^final: int8 .* on all 9 test instances is 78.9, .* Keras model 80.0 \(limit 1.0 points\); check",
        ),
        ({"int8": 81.1}, r"int8 mean PCK@0.2 on all 9 test instances is 81.1"),
        ({"int8": float("nan")}, r"int8 mean PCK@0.2 on all 9 test instances is nan"),
        ({"difference": float("nan")}, r"float32 outputs differ by up to nan"),
        ({"float16": 70.0, "int8": 60.0}, r"float16 .* is 70.0.*; int8 .* is 60.0"),
    ],
)
def test_results_beyond_the_limits_are_listed(changes, message):
    with pytest.raises(InputError, match=message):
        check_parity("final", results(**changes), LIMITS)
