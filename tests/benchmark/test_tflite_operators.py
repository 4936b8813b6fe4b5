import hashlib

import pytest

from splitpose.benchmark.schema import OperatorCount
from splitpose.benchmark.tflite_operators import Input, content, multiply_adds
from splitpose.errors import InputError


def test_multiply_adds_of_a_file_by_operator(small):
    # convolution to 4 x 4 x 4, each from 3 x 3 x 3; depthwise to 4 x 4 x 4, each from 3 x 3; transposed: each of
    # 4 x 4 x 4 goes into 2 x 2 x 2; fully connected 128 to 5
    found = content(small)
    assert set(found.operators) >= {
        OperatorCount(name="CONV_2D", count=1, multiply_adds=4 * 4 * 4 * 27),
        OperatorCount(name="FULLY_CONNECTED", count=1, multiply_adds=640),
        OperatorCount(name="DEPTHWISE_CONV_2D", count=1, multiply_adds=576),
        OperatorCount(name="TRANSPOSE_CONV", count=1, multiply_adds=512),
    }
    assert found.multiply_adds == 1728 + 576 + 512 + 640
    assert found.operators[0].name == "CONV_2D"
    assert found.inputs == (Input((1, 8, 8, 3), "float32"),)
    assert found.bytes == small.stat().st_size
    assert found.sha256 == hashlib.sha256(small.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "inputs", "output", "expected"),
    [
        ("CONV_2D", [[1, 8, 8, 6], [4, 3, 3, 2]], [1, 8, 8, 4], 64 * 4 * 18),  # 3 groups of 2 channels
        ("BATCH_MATMUL", [[2, 5, 7], [2, 7, 3]], [2, 5, 3], 2 * 5 * 3 * 7),
        ("ADD", [[1, 8, 8, 6], [6]], [1, 8, 8, 6], 0),
    ],
)
def test_multiply_adds_of_an_operator(name, inputs, output, expected):
    assert multiply_adds(name, inputs, output) == expected


def test_several_inputs_of_several_types(two_inputs):
    assert set(content(two_inputs).inputs) == {Input((1,), "int32"), Input((3, 2), "uint8")}


def test_files_that_cannot_be_benchmarked_end_in_one_line(convert, tmp_path):
    import tensorflow as tf

    with pytest.raises(InputError, match=r"x.tflite: no such TFLite file"):
        content(tmp_path / "x.tflite")
    (tmp_path / "x.tflite").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"x.tflite: not a TFLite file \([^\n]*\)$"):
        content(tmp_path / "x.tflite")
    of_complex = convert("of_complex", tf.math.real, ((2,), "complex64"))
    with pytest.raises(InputError, match=r"of_complex.tflite: input '.*' is complex64; only numbers and booleans"):
        content(of_complex)
