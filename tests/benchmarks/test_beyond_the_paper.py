"""What goes beyond the paper is off in its profile, and the script that measures it changes one thing at a time."""

import importlib.util

import numpy as np
import pytest

from splitpose.settings import Profile, load


@pytest.fixture(scope="module")
def script(repository):
    path = repository / "benchmarks" / "beyond_the_paper.py"
    spec = importlib.util.spec_from_file_location("beyond_the_paper", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def profile(repository, name):
    return load(Profile, repository / "profiles" / f"{name}.yaml")


def test_off_in_the_papers_profile(repository):
    flic = profile(repository, "flic")
    assert (flic.crops.horizontal_flip_prob, flic.crops.shift, flic.crops.brightness) == (0, 0, 0)
    assert (flic.model.decoding, flic.model.split) == ("argmax", "sliced")
    assert flic.training.coordinate_loss == "squared"
    for phase in (flic.training.frozen, flic.training.fine_tune):
        assert (phase.schedule, phase.warmup_iterations) == ("plateau", 0)


def differences(one, other, path=""):
    for key, value in one.items():
        if isinstance(value, dict):
            yield from differences(value, other[key], f"{path}{key}.")
        elif value != other[key]:
            yield f"{path}{key}"


def test_each_step_changes_one_thing(repository, script):
    base = profile(repository, "sample")
    for variant in ("baseline", "final"):
        first, *steps = script.profiles(base, variant).items()
        assert first[1] == base
        for step, one in steps:
            keys = {key.rpartition(".")[2] for key in differences(one.model_dump(), base.model_dump())}
            assert len(keys) == 1, step
            Profile.model_validate(one.model_dump())  # a value that a profile may hold
    steps = {step for variant in ("baseline", "final") for step in script.profiles(base, variant)}
    assert {"no mirroring", "argmax decoding", "huber loss", "wing loss", "shared"} <= steps


def test_gain_by_hand(repository, script):
    """Of two joints, person by person: one is found of each before, both after; so the gain has no spread."""
    before = np.tile([1.0, 0.0], (40, 1))
    figures = script.compared(np.ones((40, 2)), before, profile(repository, "sample").scoring)
    assert (figures["pck_0.1"], figures["gain"], figures["gain_ci95"]) == (100, 50, [50, 50])
    figures = script.compared(before, before, profile(repository, "sample").scoring)
    assert (figures["pck_0.1"], figures["gain"], figures["gain_ci95"]) == (50, 0, [0, 0])


def test_who_is_not_annotated_does_not_count(repository, script):
    shares = np.full((40, 2), np.nan)
    shares[:10, 0], shares[:, 1] = 1.0, 0.5
    figures = script.compared(shares, shares, profile(repository, "sample").scoring)
    assert figures["pck_0.1"] == 75
    assert figures["pck_0.1_ci95"] == [75, 75]
