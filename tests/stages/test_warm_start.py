"""The training stages with initial weights: skipped frozen phase, settings of a warm start, new layers."""

import hashlib
import shutil

import h5py
import numpy as np
import pytest
from support import yaml
from support.noise_crops import write_noise_crops
from support.tiny_project import tiny_profile

from splitpose.data.training_groups import TrainingGroups
from splitpose.data.training_groups_files import read_training_groups, write_training_groups
from splitpose.errors import InputError
from splitpose.evaluation import training_history
from splitpose.files import read_json
from splitpose.models.weights_file import read_weights
from splitpose.settings import RunConfig
from splitpose.stages.fine_tune import FrozenPhase, fine_tune
from splitpose.stages.initial_files import InitialFiles, InitialRecord, Origin
from splitpose.stages.phase_outputs import PhaseOutputs
from splitpose.stages.train_frozen import train_frozen

pytestmark = pytest.mark.integration

PHASES = ("frozen", "final")
RATES = {"frozen": 1e-3, "fine_tune": 2e-3, "warm_start": 4e-3}


@pytest.fixture(scope="module")
def project(tmp_path_factory, repository):
    """Return a folder with crops, settings, and a trained variant `no_gap`."""
    folder = tmp_path_factory.mktemp("project")
    write_noise_crops(folder / "crops")
    profile = tiny_profile(repository)
    for phase, iterations in (("frozen", 4), ("fine_tune", 8), ("warm_start", 12)):
        settings = {"iterations": iterations, "learning_rate": RATES[phase], "schedule": "plateau"}
        profile["training"][phase] |= settings
    (folder / "profile.yaml").write_text(yaml.safe_dump(profile))
    (folder / "params.yaml").write_text("profile: profile\nvariants: {no_gap: {}, split: {}}\n")
    write_initial(folder / "scratch")
    train(folder, "no_gap", "scratch", "trained")
    return folder


def write_initial(folder, origin=None, weights=None):
    folder.mkdir()
    InitialFiles(folder).write_record(InitialRecord(origin or Origin(), Origin(), 0))
    if weights:
        shutil.copyfile(weights, InitialFiles(folder).model_weights)


def outputs(folder, phase):
    return PhaseOutputs(folder / f"{phase}.weights.h5", folder / f"{phase}.csv", folder / f"{phase}.json")


def train(folder, variant, initial, out):
    """Run both training stages; return the histories after each."""
    config = RunConfig.resolve(folder / "profile.yaml", folder / "params.yaml", variant)
    frozen, final = outputs(folder / out, "frozen"), outputs(folder / out, "final")
    train_frozen(config, folder / "crops", folder / initial, frozen)
    phase = FrozenPhase(frozen.weights, frozen.history)
    fine_tune(config, folder / "crops", folder / initial, phase, final)
    return training_history.read(frozen.history), training_history.read(final.history)


def forget_architecture(path):
    with h5py.File(path, "a") as file:
        del file.attrs["splitpose_architecture"]


def read(path):
    return read_weights(path, "")


def test_from_scratch_both_phases_are_trained(project):
    history = training_history.read(project / "trained" / "final.csv")
    assert list(history["phase"]) == ["frozen", "fine_tune", "fine_tune"]
    assert list(history["iteration"]) == [4, 8, 12]


def test_a_champion_without_new_layers_skips_the_frozen_phase_and_uses_warm_start(project, caplog):
    champion = project / "trained" / "final.weights.h5"
    write_initial(project / "champion", Origin("champion", "1", "ab"), champion)
    with caplog.at_level("INFO", "splitpose"):
        frozen, history = train(project, "no_gap", "champion", "warm")
    assert "initial weights: 55 layers loaded, 0 new" in caplog.messages  # 54 of the backbone and the last one
    assert frozen.empty and list(frozen.columns) == training_history.COLUMNS
    assert (project / "warm" / "frozen.weights.h5").read_bytes() == champion.read_bytes()
    md5 = hashlib.md5(champion.read_bytes()).hexdigest()
    assert read_json(project / "warm" / "frozen.json", "") == {"train_frozen_seconds": 0.0, "weights_md5": md5}
    assert list(history["iteration"]) == [4, 8, 12]
    assert set(history["phase"]) == {"fine_tune"}
    np.testing.assert_allclose(history["learning_rate"].iloc[0], RATES["warm_start"])
    assert training_history.best_row(history)["iteration"] in (4, 8, 12)


def test_groups_of_the_initial_model_are_passed_on(project):
    path = project / "seen.weights.h5"
    shutil.copyfile(project / "trained" / "final.weights.h5", path)
    write_training_groups(path, TrainingGroups(listed=frozenset({2, 3})))
    for name, architecture in (("seen", True), ("seen_compared", False)):
        if not architecture:
            forget_architecture(path)
        write_initial(project / name, Origin("champion", "1", "ab"), path)
        train(project, "no_gap", name, f"{name}_out")
        groups = [read_training_groups(project / f"{name}_out" / f"{phase}.weights.h5") for phase in PHASES]
        assert [group.listed for group in groups] == [{2, 3}, {1, 2, 3}]  # the crops' own are 1 and 2


def test_nan_in_the_champion_is_reported_and_nothing_is_written(project):
    path = project / "nan.weights.h5"
    shutil.copyfile(project / "trained" / "final.weights.h5", path)
    with h5py.File(path, "a") as file:
        kernel = file["layers/conv2d/vars/0"]
        kernel[0, 0, 0, 0] = np.nan
    write_initial(project / "nan", Origin("champion", "1", "ab"), path)
    with pytest.raises(InputError, match=r"^model.initial_weights: \S+: conv1 contains NaN or infinity"):
        train(project, "no_gap", "nan", "nan_out")
    assert not (project / "nan_out").exists()


def test_a_path_keeps_the_settings_of_fine_tuning(project):
    write_initial(project / "path", Origin("a.weights.h5", None, "ab"), project / "trained" / "final.weights.h5")
    frozen, history = train(project, "no_gap", "path", "from_path")
    assert frozen.empty
    assert list(history["iteration"]) == [4, 8]
    np.testing.assert_allclose(history["learning_rate"].iloc[0], RATES["fine_tune"])


def test_a_file_without_a_recorded_architecture_is_compared_layer_by_layer(project):
    path = project / "unrecorded.weights.h5"
    shutil.copyfile(project / "trained" / "final.weights.h5", path)
    forget_architecture(path)
    write_initial(project / "unrecorded", Origin("champion", "1", "ab"), path)
    frozen, history = train(project, "no_gap", "unrecorded", "compared")
    assert frozen.empty and len(history) == 3
    for name, weights in read(path).items():
        for a, b in zip(weights, read(project / "compared" / "frozen.weights.h5")[name], strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_new_head_is_trained_on_the_frozen_layers_that_were_loaded(project):
    """split has another last layer than no_gap, on the same backbone."""
    trained = project / "trained" / "final.weights.h5"
    write_initial(project / "other", Origin("champion", "1", "ab"), trained)
    frozen, history = train(project, "split", "other", "split")
    assert list(frozen["phase"]) == ["frozen"]
    assert list(history["iteration"]) == [4, 8, 12]
    np.testing.assert_allclose(history["learning_rate"].iloc[1], RATES["fine_tune"])
    before, after = read(trained), read(project / "split" / "frozen.weights.h5")
    backbone = [name for name in after if name.startswith("conv") and after[name]]
    assert len(backbone) == 54
    for name in backbone:
        assert all((a == b).all() for a, b in zip(before[name], after[name], strict=True))
