import json
import subprocess
import sys

import numpy as np
import pytest

from splitpose import models
from splitpose.benchmark.targets.device_runner import inspect_delegation
from splitpose.codecs import Coordinates, Heatmaps
from splitpose.data.training_groups import TrainingGroups
from splitpose.errors import InputError
from splitpose.export.tflite import convert_to_tflite
from splitpose.inference.metadata import Metadata, describe_codec, embed_metadata, read_metadata, require_metadata
from splitpose.inference.runtime import Runtime
from splitpose.skeleton import JOINTS

pytestmark = pytest.mark.integration

VALUES = {
    "variant": "final", "precision": "float32", "viewpoint": "observer", "size": 32, "region_from": "bbox",
    "padding": 1.5, "output": "heatmaps", "heatmap_fwhm": 5.0, "decoding": "dark", "weights_sha256": "a" * 64,
    "crops_sha256": "b" * 64,
}  # fmt: skip
METADATA = Metadata(**VALUES)

FORMAT_1 = {
    "format": 1, "variant": "final", "precision": "float32", "joints": list(JOINTS), "viewpoint": "observer",
    "size": 32, "colours": "RGB", "channel_range": [0, 255], "crop_around": "box", "crop_margin": 1.5,
    "output": "heatmaps", "heatmap_width": 5.0, "decoding": "dark", "weights_sha256": "a" * 64,
    "crops_sha256": "b" * 64,
}  # fmt: skip
"""Metadata as earlier versions embedded it."""


@pytest.fixture(scope="module")
def content():
    """A TFLite file without metadata."""
    return convert_to_tflite(models.build("final", size=32, width=0.25), "float32", np.zeros((1, 32, 32, 3)))


class Json:
    """Any JSON in place of the metadata."""

    def __init__(self, values):
        self.values = values

    def model_dump_json(self):
        return json.dumps(self.values)


def test_metadata_is_read_back_and_the_model_computes_the_same(content, tmp_path):
    plain, described = tmp_path / "plain.tflite", tmp_path / "described.tflite"
    plain.write_bytes(content)
    described.write_bytes(embed_metadata(content, METADATA))
    assert read_metadata(plain) is None
    assert read_metadata(described) == METADATA
    crops = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    np.testing.assert_array_equal(Runtime(described).run(crops), Runtime(plain).run(crops))
    assert inspect_delegation(Runtime(described)._interpreter) == (1, [])
    assert 0 < described.stat().st_size - plain.stat().st_size < 2000


def test_keys_are_those_of_format_3():
    assert list(METADATA.model_dump()) == [
        *("format", "variant", "precision", "joints", "viewpoint", "size", "channel_order", "channel_range"),
        *("region_from", "padding", "output", "heatmap_fwhm", "decoding", "weights_sha256", "crops_sha256"),
        *("person_threshold", "training_groups"),
    ]


def test_format_1_is_translated(content, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(embed_metadata(content, Json(FORMAT_1)))
    assert read_metadata(path) == METADATA
    joints_region = FORMAT_1 | {"crop_around": "joints", "heatmap_width": None, "decoding": None}
    path.write_bytes(embed_metadata(content, Json(joints_region | {"output": "coordinates"})))
    metadata = read_metadata(path)
    assert metadata.region_from == "joints"
    assert metadata.codec() == Coordinates(32)


def test_format_2_is_translated_and_has_no_training_groups(content, tmp_path):
    path = tmp_path / "x.tflite"
    format_2 = METADATA.model_dump(exclude={"training_groups"}) | {"format": 2}
    path.write_bytes(embed_metadata(content, Json(format_2)))
    assert read_metadata(path) == METADATA
    assert read_metadata(path).training_groups is None


def test_training_groups_are_read_back(content, tmp_path):
    path, groups = tmp_path / "x.tflite", TrainingGroups(listed=frozenset({1, 2})).to_json()
    path.write_bytes(embed_metadata(content, Metadata(**VALUES | {"training_groups": groups})))
    assert read_metadata(path).training_groups == groups


def test_bytes_are_reproducible(content):
    assert embed_metadata(content, METADATA) == embed_metadata(content, METADATA)
    assert embed_metadata(content, METADATA) != embed_metadata(content, Metadata(**VALUES | {"size": 64}))


def test_codec_is_the_one_that_the_model_was_trained_with():
    for codec in (Coordinates(32), Heatmaps(32, 5.0, "dark"), Heatmaps(32, 3.0, "argmax")):
        output, fwhm, decoding = describe_codec(codec)
        values = {"output": output, "heatmap_fwhm": fwhm, "decoding": decoding}
        assert Metadata(**VALUES | values).codec() == codec


@pytest.mark.parametrize(
    "values",
    [METADATA.model_dump() | {"format": 9}, FORMAT_1 | {"format": 2}, FORMAT_1 | {"crop_around": "face"}, [], "x"],
)
def test_metadata_that_is_not_valid_is_reported(content, tmp_path, values):
    path = tmp_path / "x.tflite"
    path.write_bytes(embed_metadata(content, Json(values)))
    with pytest.raises(InputError, match=r"x.tflite: metadata cannot be read \(.*: .*\); convert the model again"):
        read_metadata(path)


def test_metadata_that_is_not_json_is_reported(content, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(embed_metadata(content, METADATA).replace(b'"size":32', b'"size":xy'))
    with pytest.raises(InputError, match=r"x.tflite: metadata cannot be read \(: Invalid JSON"):
        read_metadata(path)


def test_missing_metadata_is_reported_where_it_is_required(content, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x.tflite: has no splitpose metadata; convert the model again"):
        require_metadata(path)
    path.write_bytes(embed_metadata(content, METADATA))
    assert require_metadata(path) == METADATA


def test_file_that_is_not_tflite_is_reported(tmp_path):
    path = tmp_path / "x.tflite"
    with pytest.raises(InputError, match=r"x.tflite: no such TFLite file"):
        read_metadata(path)
    path.write_bytes(b"no model")
    with pytest.raises(InputError, match=r"x.tflite: not a TFLite file"):
        read_metadata(path)


def test_truncated_file_is_reported(content, tmp_path):
    path = tmp_path / "x.tflite"
    whole = embed_metadata(content, METADATA)
    for size in (8, 100, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"x.tflite: the TFLite file is damaged or truncated"):
            read_metadata(path)


def test_reading_metadata_needs_no_tensorflow(content, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(embed_metadata(content, METADATA))
    program = (
        "import sys; from pathlib import Path; from splitpose.inference.metadata import read_metadata; "
        "print(read_metadata(Path(sys.argv[1])).variant, 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["final", "False", "False"]
