"""Python's results against the vectors that it shares with the web page."""

import json

import numpy as np
import pytest
from support.fake_model import FakeModel
from vectors import generate
from vectors.generate import unpack_array

from splitpose.benchmark.targets.latency_statistics import summarise_sustained
from splitpose.codecs import Codec, Coordinates, Heatmaps
from splitpose.crops.geometry import CropRegion, ImagePyramid, apply_affine, crop_affine, crop_region, invert_affine
from splitpose.errors import InputError
from splitpose.inference.metadata import read_metadata
from splitpose.inference.sliding_window import WINDOW_SIDES, joints_crop_policy, search_people, sliding_windows
from splitpose.skeleton import JOINTS, LIMBS

VECTORS = json.loads(generate.FILE.read_text())


def cases(name):
    return pytest.mark.parametrize("case", VECTORS[name])


@cases("skeleton")
def test_skeleton(case):
    assert case["joints"] == list(JOINTS)
    assert case["limbs"] == [list(limb) for limb in LIMBS]


@cases("crops")
def test_crops_are_equal_to_one_grey_level(case):
    affine = crop_affine(CropRegion(**case["region"]), case["size"])
    crop = ImagePyramid(unpack_array(case["image"])).warp(affine, case["size"])
    # They are identical on this machine; OpenCV may round differently on another processor.
    difference = crop.astype(int) - unpack_array(case["crop"])
    assert np.abs(difference).max() <= 1


@cases("affines")
def test_affines(case):
    joints = np.array(case["joints"])
    region = crop_region(joints, np.empty(0), "joints", case["padding"])
    assert vars(region) == pytest.approx(case["region"])
    affine = crop_affine(region, case["size"])
    assert affine.ravel() == pytest.approx(case["affine"])
    assert apply_affine(affine, joints) == pytest.approx(np.array(case["mapped"]))
    assert invert_affine(affine).ravel() == pytest.approx(case["inverse"])


@cases("windows")
def test_windows(case):
    assert case["sides"] == list(WINDOW_SIDES)
    windows = [[window.x, window.y, window.side] for window in sliding_windows(case["width"], case["height"])]
    assert np.array(windows) == pytest.approx(np.array(case["windows"]))


@cases("searches")
def test_searches(case):
    persons = [tuple(person) for person in case["persons"]]
    model = FakeModel(
        [person[:3] for person in persons],
        confidences=[confidence for *_, confidence in persons],
        person_threshold=case["threshold"],
    )
    policy = joints_crop_policy(case["padding"])
    people = search_people(model, None, (case["width"], case["height"]), policy, case["max_people"])
    assert [list(vars(person.region).values()) for person in people] == [
        pytest.approx(found) for found in case["found"]
    ]
    assert [person.mean_confidence for person in people] == pytest.approx(case["confidences"])
    assert len(model.regions) == case["runs"]


@cases("decodings")
def test_decodings(case):
    arguments = dict(case["codec"])
    codec: Codec = {"coordinates": Coordinates, "heatmaps": Heatmaps}[arguments.pop("kind")](**arguments)
    outputs = unpack_array(case["output"])[None]
    assert codec.decode(outputs)[0] == pytest.approx(np.array(case["joints"]), abs=2e-3)
    if case["confidence"] is None:
        assert np.isnan(codec.confidence(outputs)).all()
    else:
        assert codec.confidence(outputs)[0] == pytest.approx(case["confidence"], abs=1e-5)


@cases("drawings")
def test_drawings(case):
    confidence = np.array(case["confidence"], float)  # None becomes NaN
    strokes = generate.strokes(np.array(case["joints"]), confidence, case["width"], case["height"])
    assert strokes == case["strokes"]


@cases("latencies")
def test_latencies(case):
    samples = np.array(case["samples"])
    for percent, ms in case["percentiles"].items():
        assert np.percentile(samples, int(percent)) == pytest.approx(ms)
    sustained = summarise_sustained(samples, 1.0)
    assert [sustained.first_fifth_p50_ms, sustained.last_fifth_p50_ms] == case["fifths"]


@cases("metadata")
def test_metadata(case, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(unpack_array(case["file"]).tobytes())
    if "error" in case:
        with pytest.raises(InputError, match=case["error"]):
            read_metadata(path)
    else:
        metadata = read_metadata(path)
        assert (metadata and metadata.model_dump(mode="json")) == case["metadata"]
