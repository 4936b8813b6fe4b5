import struct

import matplotlib
import numpy as np
import pytest
from report.made_up import VARIANTS, comparison, history

from splitpose.report import figures


@pytest.fixture(scope="module")
def pictures():
    return draw()


def draw():
    rng = np.random.default_rng(0)
    errors = {variant: np.abs(rng.normal(0, 0.1, (30, 11))) for variant in VARIANTS}
    errors["final"][0] = np.nan
    errors["final"][1] = np.inf
    return figures.all_figures(comparison(), errors, {v: history() for v in VARIANTS}, "made-up people")


def chunks(png):
    """Names and contents of a PNG's chunks."""
    at, found = 8, []
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def test_same_bytes_every_time(pictures):
    assert draw() == pictures


def test_no_date_or_software_in_the_files(pictures):
    for png in pictures.values():
        assert png.startswith(b"\x89PNG")
        kinds = {kind for kind, _ in chunks(png)}
        assert kinds <= {b"IHDR", b"pHYs", b"IDAT", b"IEND"}


def test_matplotlibs_settings_are_left_as_they_were():
    before = dict(matplotlib.rcParams)
    figures.validation_curves({"a": history()}, "")
    assert dict(matplotlib.rcParams) == before


def test_numbers_change_the_picture(pictures):
    content = comparison()
    content["variants"]["final"]["pck"]["0.2"]["nose"] = 70.0
    assert figures.joint_scores(content, "made-up people") != pictures["joint_scores"]
    content["variants"]["final"]["tflite"]["int8"]["p50_ms"] = 1.0
    assert figures.latency_accuracy(content, "made-up people") != pictures["latency_accuracy"]


def test_a_joint_nobody_has_is_left_out():
    content = comparison()
    at = content["variants"]["final"]["pck"]["0.2"]
    for joint in ("nose", "mean"):
        at[joint] = at["ci95"][joint] = None
    assert figures.joint_scores(content, "").startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [1, 3, 9])
def test_any_number_of_variants(count):
    histories = {f"variant_with_a_long_name_{k}": history() for k in range(count)}
    assert figures.loss_curves(histories, "").startswith(b"\x89PNG")
    assert figures.validation_curves(histories, "").startswith(b"\x89PNG")
