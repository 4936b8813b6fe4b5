import subprocess
import sys

import numpy as np
import pytest

from splitpose import models
from splitpose.benchmark.targets.device_runner import inspect_delegation
from splitpose.codecs import Coordinates, Heatmaps
from splitpose.errors import InputError
from splitpose.export.tflite import convert_to_tflite
from splitpose.inference import metadata
from splitpose.inference.metadata import Metadata
from splitpose.inference.runtime import Runtime

FACTS = {
    "variant": "final", "precision": "float32", "viewpoint": "observer", "size": 32, "region_from": "joints",
    "padding": 1.5, "output": "heatmaps", "heatmap_fwhm": 5.0, "decoding": "dark", "weights_sha256": "a" * 64,
    "crops_sha256": "b" * 64,
}  # fmt: skip


@pytest.fixture(scope="module")
def content():
    """A TFLite file without a card."""
    return convert_to_tflite(models.build("final", size=32, width=0.25), "float32", np.zeros((1, 32, 32, 3)))


def test_what_is_written_is_read_and_the_model_computes_the_same(content, tmp_path):
    plain, carded = tmp_path / "plain.tflite", tmp_path / "carded.tflite"
    plain.write_bytes(content)
    carded.write_bytes(metadata.embed_metadata(content, Metadata(**FACTS)))
    assert metadata.read(plain) is None
    assert metadata.read(carded) == Metadata(**FACTS)
    crops = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    np.testing.assert_array_equal(Runtime(carded).run(crops), Runtime(plain).run(crops))
    assert inspect_delegation(Runtime(carded)._interpreter) == (1, [])
    assert 0 < carded.stat().st_size - plain.stat().st_size < 2000


def test_same_bytes_every_time(content):
    assert metadata.embed_metadata(content, Metadata(**FACTS)) == metadata.embed_metadata(
        content, Metadata(**FACTS)
    )
    assert metadata.embed_metadata(content, Metadata(**FACTS)) != metadata.embed_metadata(
        content, Metadata(**FACTS | {"size": 64})
    )


def test_codec_is_the_one_that_the_model_was_trained_with():
    for codec in (Coordinates(32), Heatmaps(32, 5.0, "dark"), Heatmaps(32, 3.0, "argmax")):
        output, width, decoding = metadata.output_of(codec)
        facts = {"output": output, "heatmap_fwhm": width, "decoding": decoding}
        assert Metadata(**FACTS | facts).codec() == codec


def test_a_card_that_cannot_be_understood_is_named(content, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(metadata.embed_metadata(content, Metadata(**FACTS)).replace(b'"format":1', b'"format":9'))
    with pytest.raises(
        InputError, match=r"x.tflite: its card cannot be read \(format: .*\); convert the model anew"
    ):
        metadata.read(path)


def test_what_is_no_tflite_file_is_named(tmp_path):
    path = tmp_path / "x.tflite"
    with pytest.raises(InputError, match=r"x.tflite: no such TFLite file"):
        metadata.read(path)
    path.write_bytes(b"no model")
    with pytest.raises(InputError, match=r"x.tflite: not a TFLite file"):
        metadata.read(path)


def test_a_file_that_was_cut_short_is_named(content, tmp_path):
    path = tmp_path / "x.tflite"
    whole = metadata.embed_metadata(content, Metadata(**FACTS))
    for size in (8, 100, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"x.tflite: not a whole TFLite file"):
            metadata.read(path)


def test_reading_a_card_needs_no_tensorflow(content, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(metadata.embed_metadata(content, Metadata(**FACTS)))
    program = (
        "import sys; from pathlib import Path; from splitpose.inference import metadata; "
        "print(metadata.read(Path(sys.argv[1])).variant, 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["final", "False", "False"]
