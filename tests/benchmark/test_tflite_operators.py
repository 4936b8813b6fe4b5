import hashlib

import pytest

from splitpose.benchmark.schema import OperatorCount
from splitpose.benchmark.tflite_operators import InputSpec, count_macs, inspect_tflite
from splitpose.errors import InputError

pytestmark = pytest.mark.integration


def test_macs_of_a_file_are_counted_by_operator(small):
    # Convolution: 4 x 4 x 4 outputs from 3 x 3 x 3 inputs each. Depthwise: 4 x 4 x 4 outputs from 3 x 3 each.
    # Transposed: 4 x 4 x 4 inputs to 2 x 2 x 2 outputs each. Fully connected: 128 inputs to 5 outputs.
    file = inspect_tflite(small)
    assert set(file.operators) >= {
        OperatorCount(name="CONV_2D", count=1, macs=4 * 4 * 4 * 27),
        OperatorCount(name="FULLY_CONNECTED", count=1, macs=640),
        OperatorCount(name="DEPTHWISE_CONV_2D", count=1, macs=576),
        OperatorCount(name="TRANSPOSE_CONV", count=1, macs=512),
    }
    assert file.macs == 1728 + 576 + 512 + 640
    assert file.operators[0].name == "CONV_2D"
    assert file.inputs == (InputSpec((1, 8, 8, 3), "float32"),)
    assert file.bytes == small.stat().st_size
    assert file.sha256 == hashlib.sha256(small.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "inputs", "output", "expected"),
    [
        ("CONV_2D", [[1, 8, 8, 6], [4, 3, 3, 2]], [1, 8, 8, 4], 64 * 4 * 18),  # 3 groups of 2 channels
        ("BATCH_MATMUL", [[2, 5, 7], [2, 7, 3]], [2, 5, 3], 2 * 5 * 3 * 7),
        ("ADD", [[1, 8, 8, 6], [6]], [1, 8, 8, 6], 0),
    ],
)
def test_macs_of_an_operator(name, inputs, output, expected):
    assert count_macs(name, inputs, output) == expected


def test_several_inputs_of_several_types_are_listed(two_inputs):
    assert set(inspect_tflite(two_inputs).inputs) == {InputSpec((1,), "int32"), InputSpec((3, 2), "uint8")}


def test_files_that_cannot_be_benchmarked_are_reported_in_one_line(convert, tmp_path):
    import tensorflow as tf

    with pytest.raises(InputError, match=r"x.tflite: no such TFLite file$"):
        inspect_tflite(tmp_path / "x.tflite")
    (tmp_path / "x.tflite").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"x.tflite: not a TFLite file \([^\n]*\)$"):
        inspect_tflite(tmp_path / "x.tflite")
    complex_input = convert("complex_input", tf.math.real, ((2,), "complex64"))
    with pytest.raises(
        InputError, match=r"complex_input.tflite: input '.*' is complex64; only numbers and booleans"
    ):
        inspect_tflite(complex_input)
