import re

import numpy as np
import pytest

from splitpose.benchmark.measure import measure
from splitpose.benchmark.model_inputs import ModelInputs
from splitpose.benchmark.targets import BenchmarkOptions
from splitpose.benchmark.targets.local import Local
from splitpose.benchmark.tflite_operators import InputSpec, inspect_tflite
from splitpose.cli import main
from splitpose.errors import InputError

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def two_signatures(tmp_path_factory):
    """`decode` (two inputs, one with an open batch), and then `encode` (an image of any size)."""
    import tensorflow as tf

    kernel = tf.constant(np.random.default_rng(0).normal(size=(3, 3, 3, 4)).astype(np.float32))

    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="image")])
        def encode(self, image):
            return {"y": tf.nn.conv2d(image, kernel, 2, "SAME")}

        @tf.function(
            input_signature=[
                tf.TensorSpec([2, 5], tf.float32, name="a"),
                tf.TensorSpec([None, 3], tf.float32, name="b"),
            ]
        )
        def decode(self, a, b):
            return {"z": tf.matmul(a, tf.ones((5, 7))), "w": b * 2.0}

    folder, model = tmp_path_factory.mktemp("signatures"), Model()
    tf.saved_model.save(model, str(folder), signatures={"encode": model.encode, "decode": model.decode})
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=["encode", "decode"])
    path = folder / "two.tflite"
    path.write_bytes(converter.convert())
    return path


@pytest.fixture(scope="module")
def open_size(convert):
    """A file with one input of open height and width, and without several signatures."""
    import tensorflow as tf

    return convert("open_size", lambda x: tf.reduce_sum(x, axis=3), ((1, None, None, 3), "float32"))


def test_a_signature_and_a_shape_are_measured(two_signatures):
    inputs = ModelInputs("encode", ("1,64,48,3",))
    file = inspect_tflite(two_signatures, inputs)
    assert file.inputs == (InputSpec((1, 64, 48, 3), "float32"),)
    assert file.macs == 32 * 24 * 4 * 27  # half the size; 4 filters of 3 x 3 x 3
    assert file.bytes == two_signatures.stat().st_size
    options = BenchmarkOptions(runs=3, warmup_runs=1)
    model = measure(Local(), {"m": two_signatures}, options, inputs).models["m"]
    assert (model.signature, model.input_shapes) == ("encode", {"image": [1, 64, 48, 3]})
    assert model.fully_delegated and model.operator_timings and model.macs == file.macs


def test_the_first_signature_is_the_default_and_an_open_batch_is_one(two_signatures):
    file = inspect_tflite(two_signatures)
    assert (file.resolved.signature, file.resolved.others) == ("decode", ("encode",))
    assert file.resolved.shapes == {"a": (2, 5), "b": (1, 3)}
    assert file.macs == 2 * 5 * 7
    assert inspect_tflite(two_signatures, ModelInputs(shapes=("b=4,3",))).resolved.shapes["b"] == (4, 3)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            ModelInputs("encode"),
            "the size of the input 'image' is open (?,?,?,3); give it with --shape, for example "
            "--shape image=1,224,224,3",
        ),
        (ModelInputs("serve"), "has no signature 'serve'; its signatures: decode, encode"),
        (
            ModelInputs("encode", ("1,64,48",)),
            "--shape 1,64,48: does not fit the input 'image', which has the shape ?,?,?,3",
        ),
        (
            ModelInputs("encode", ("1,64,48,4",)),
            "--shape 1,64,48,4: does not fit the input 'image', which has the shape ?,?,?,3",
        ),
        (ModelInputs(None, ("1,3",)), "--shape 1,3: has 2 inputs; use NAME=1,3 (a, b)"),
        (ModelInputs(None, ("c=1,3",)), "--shape c=1,3: has no input 'c'; its inputs: a, b"),
        (ModelInputs(None, ("b=1,3", "b=2,3")), "--shape b=2,3: the shape of 'b' is given twice"),
        (ModelInputs(None, ("a=3,5",)), "--shape 3,5: does not fit the input 'a', which has the shape 2,5"),
    ],
)
def test_inputs_that_do_not_fit_are_reported_in_one_line(two_signatures, inputs, message):
    with pytest.raises(InputError, match=f"^{re.escape(f'{two_signatures}: {message}')}$"):
        inspect_tflite(two_signatures, inputs)


@pytest.mark.parametrize(
    "shape", ["1,x,48,3", "1,,3", "", "0,64,48,3", "1,-1,48,3", "1x64x48x3", "1,6.5,48,3", "1,²,3,3"]
)
def test_a_shape_that_is_no_list_of_sizes_is_reported(two_signatures, shape):
    message = f"--shape {shape}: is not a list of positive sizes; write for example 1,224,224,3"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        inspect_tflite(two_signatures, ModelInputs("encode", (shape,)))


def test_the_command_shows_signature_and_shape(two_signatures, open_size, capsys):
    options = ["--runs", "2", "--warmup-runs", "1"]
    assert main(["benchmark", str(open_size), *options]) == 1
    assert "is open (1,?,?,3); give it with --shape" in capsys.readouterr().err
    assert main(["benchmark", str(open_size), "--shape", "1,6,4,3", *options]) == 0
    assert "1x6x4x3" in capsys.readouterr().out
    assert main(["benchmark", str(two_signatures), *options]) == 0
    output = capsys.readouterr().out
    assert "decode" in output and "a 2x5, b 1x3" in output and "--signature selects encode" in output


def test_an_error_of_the_target_names_the_file_and_not_its_copy(two_signatures):
    class Broken:
        def run(self, model, inputs, options):
            raise InputError(f"{model}: does not run")

    with pytest.raises(InputError, match=f"^{re.escape(str(two_signatures))}: does not run$"):
        measure(Broken(), {"m": two_signatures}, BenchmarkOptions(runs=1))
