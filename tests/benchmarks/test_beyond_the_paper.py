"""Changes beyond the paper are off in its profile, and the script that measures them changes one at a time."""

import importlib.util

import numpy as np
import pytest

from splitpose.settings import Profile, load

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def script(repository):
    path = repository / "benchmarks" / "beyond_the_paper.py"
    spec = importlib.util.spec_from_file_location("beyond_the_paper", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def profile(repository, name):
    return load(Profile, repository / "profiles" / f"{name}.yaml")


def test_changes_are_off_in_the_profile_of_the_paper(repository):
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


def test_each_change_concerns_one_key(repository, script):
    base = profile(repository, "sample")
    for variant in ("baseline", "final"):
        first, *changes = script.changed_profiles(base, variant).items()
        assert first[1] == base
        for name, changed in changes:
            keys = {key.rpartition(".")[2] for key in differences(changed.model_dump(), base.model_dump())}
            assert len(keys) == 1, name
            Profile.model_validate(changed.model_dump())  # the value is valid in a profile
    names = {name for variant in ("baseline", "final") for name in script.changed_profiles(base, variant)}
    assert {"no horizontal flips", "argmax decoding", "huber loss", "wing loss", "shared"} <= names


def test_gain_without_variance(repository, script):
    """One of two joints of each instance is correct before the change, both are after it."""
    before = np.tile([1.0, 0.0], (40, 1))
    scores = script.compare(np.ones((40, 2)), before, profile(repository, "sample").scoring)
    assert (scores["pck_0.1"], scores["gain"], scores["gain_ci95"]) == (100, 50, [50, 50])
    scores = script.compare(before, before, profile(repository, "sample").scoring)
    assert (scores["pck_0.1"], scores["gain"], scores["gain_ci95"]) == (50, 0, [0, 0])


def test_joints_that_are_not_annotated_do_not_count(repository, script):
    shares = np.full((40, 2), np.nan)
    shares[:10, 0], shares[:, 1] = 1.0, 0.5
    scores = script.compare(shares, shares, profile(repository, "sample").scoring)
    assert scores["pck_0.1"] == 75
    assert scores["pck_0.1_ci95"] == [75, 75]
