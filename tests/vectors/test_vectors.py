"""Python's side of what Python and the page do alike: cropping, searching, decoding, drawing, latency, the card."""

import json

import numpy as np
import pytest
from vectors import make
from vectors.make import unpacked

from splitpose.benchmark.targets.python_device import summarize_sustained
from splitpose.codecs import Codec, Coordinates, Heatmaps
from splitpose.crops.geometry import CropRegion, apply_affine, crop_affine, crop_region, invert_affine, warp_crop
from splitpose.errors import InputError
from splitpose.inference.metadata import read_metadata
from splitpose.inference.sliding_window import SIDES, squares
from splitpose.skeleton import JOINTS, LIMBS

VECTORS = json.loads(make.FILE.read_text())


def cases(name):
    return pytest.mark.parametrize("case", VECTORS[name])


@cases("skeleton")
def test_skeleton(case):
    assert case["joints"] == list(JOINTS)
    assert case["limbs"] == [list(limb) for limb in LIMBS]


@cases("crops")
def test_crops_are_the_same_to_one_level(case):
    crop = warp_crop(
        unpacked(case["picture"]), crop_affine(CropRegion(**case["region"]), case["size"]), case["size"]
    )
    # On this machine they are the same; another processor's OpenCV may round otherwise.
    difference = crop.astype(int) - unpacked(case["crop"])
    assert np.abs(difference).max() <= 1


@cases("maps")
def test_maps(case):
    joints = np.array(case["joints"])
    region = crop_region(joints, np.empty(0), "joints", case["padding"])
    assert vars(region) == pytest.approx(case["region"])
    affine = crop_affine(region, case["size"])
    assert affine.ravel() == pytest.approx(case["affine"])
    assert apply_affine(affine, joints) == pytest.approx(np.array(case["mapped"]))
    assert invert_affine(affine).ravel() == pytest.approx(case["back"])


@cases("searches")
def test_searches(case):
    assert case["sides"] == list(SIDES)
    found = [[each.x, each.y, each.side] for each in squares(case["width"], case["height"])]
    assert np.array(found) == pytest.approx(np.array(case["squares"]))


@cases("decodings")
def test_decodings(case):
    facts = dict(case["codec"])
    codec: Codec = {"coordinates": Coordinates, "heatmaps": Heatmaps}[facts.pop("kind")](**facts)
    outputs = unpacked(case["output"])[None]
    assert codec.decode(outputs)[0] == pytest.approx(np.array(case["joints"]), abs=2e-3)
    if case["confidence"] is None:
        assert np.isnan(codec.confidence(outputs)).all()
    else:
        assert codec.confidence(outputs)[0] == pytest.approx(case["confidence"], abs=1e-5)


@cases("drawings")
def test_drawings(case):
    confidence = np.array(case["confidence"], float)  # None becomes NaN
    drawn = make.strokes(np.array(case["joints"]), confidence, case["width"], case["height"])
    assert drawn == case["strokes"]


@cases("latencies")
def test_latencies(case):
    samples = np.array(case["samples"])
    for percent, ms in case["percentiles"].items():
        assert np.percentile(samples, int(percent)) == pytest.approx(ms)
    run = summarize_sustained(samples, 1.0)
    assert [run.first_fifth_p50_ms, run.last_fifth_p50_ms] == case["fifths"]


@cases("cards")
def test_cards(case, tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(unpacked(case["file"]).tobytes())
    if "error" in case:
        with pytest.raises(InputError, match=case["error"]):
            read_metadata(path)
    else:
        read = read_metadata(path)
        assert (read and read.model_dump(mode="json")) == case["card"]
