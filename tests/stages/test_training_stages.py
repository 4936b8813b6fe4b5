"""Interrupted training stages leave a checkpoint, and their results equal those of uninterrupted ones."""

import os
import signal
import subprocess
import sys
import time

import keras
import pytest
from support import yaml
from support.noise_crops import SIZE, write_noise_crops
from support.tiny_project import tiny_profile

from splitpose.crops import tfrecords
from splitpose.data.training_groups import TrainingGroups
from splitpose.data.training_groups_files import read_training_groups
from splitpose.settings import Profile, load
from splitpose.stages.initial_files import InitialFiles, InitialRecord, Origin
from splitpose.training.batches import training_batches

pytestmark = pytest.mark.integration

BATCH, ITERATIONS = 4, 48

STAGE = """\
import errno, os, runpy, signal, sys
import keras
from splitpose.training.checkpoint import Checkpoint

write = Checkpoint.write

def fail(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")

def killed_while_writing(checkpoint, state, variables):
    if state.done == 32:
        checkpoint.path.with_name(f".part-{checkpoint.path.name}").write_bytes(b"partial")
        os.kill(os.getpid(), signal.SIGKILL)
    write(checkpoint, state, variables)

event = sys.argv.pop(1)
if event == "killed while writing":
    Checkpoint.write = killed_while_writing
if event == "full disk":
    Checkpoint.write = fail
    keras.Model.save_weights = fail
runpy.run_module("splitpose.stages.train_frozen", run_name="__main__")
"""
"""Runs train_frozen with an event during training."""


@pytest.fixture
def folder(tmp_path, repository):
    """Return a folder with crops of noise, params.yaml and two profiles, one of which diverges."""
    write_noise_crops(tmp_path / "crops")
    (tmp_path / "initial").mkdir()
    InitialFiles(tmp_path / "initial").write_record(InitialRecord(Origin(), Origin(), 0))
    profile = tiny_profile(repository)
    profile["training"] |= {"batch_size": BATCH, "validation_interval": 8}
    for name, rate in (("stable", 1e-3), ("divergent", 1e30)):
        profile["training"]["frozen"] |= {"iterations": ITERATIONS, "learning_rate": rate}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(profile))
    (tmp_path / "params.yaml").write_text("profile: stable\nvariants: {baseline: {}}\n")
    return tmp_path


def start(folder, out, event="none", profile="stable"):
    options = {
        "profile": f"{profile}.yaml", "params": "params.yaml", "variant": "baseline",
        "crops": "crops", "initial": "initial",
        "weights": f"{out}/frozen.weights.h5", "curve": f"{out}/frozen.csv", "time": f"{out}/frozen.json",
    }  # fmt: skip
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            STAGE,
            event,
            *(part for name, value in options.items() for part in (f"--{name}", value)),
        ],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "DVC_STAGE"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait(process):
    """Return the exit status and the output."""
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def test_interrupted_training_has_identical_outputs(folder):
    uninterrupted = start(folder, "uninterrupted")
    checkpoint = folder / "killed" / "frozen.checkpoint"

    process = start(folder, "killed")
    while not checkpoint.is_file() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    status, output = wait(process)
    assert status == 1
    assert output.splitlines()[-1].startswith("baseline: frozen: stopped on request after iteration ")
    assert output.splitlines()[-1].endswith("; the next run resumes there")
    assert "Traceback" not in output
    assert [path.name for path in checkpoint.parent.iterdir()] == ["frozen.checkpoint"]

    assert_restarts_and_diverges(folder, "killed")

    status, output = wait(start(folder, "killed", "killed while writing"))
    assert status == -signal.SIGKILL
    assert "resuming after iteration" in output, output

    previous = checkpoint.read_bytes()
    status, output = wait(start(folder, "killed", "full disk"))
    assert status == 1
    assert "warning: no checkpoint could be written (No space left on device); training continues" in output
    assert output.splitlines()[-1].startswith("error: ")
    assert ": no space left on its disk" in output.splitlines()[-1]
    assert checkpoint.read_bytes() == previous

    status, output = wait(start(folder, "killed"))
    assert (status, "resuming after iteration" in output) == (0, True), output
    status, output = wait(uninterrupted)
    assert status == 0, output
    assert "baseline: frozen: 54 layers frozen, 1 trainable" in output.splitlines()
    assert [path.name for path in (folder / "killed").glob("*checkpoint*")] == []
    for name in ("frozen.csv", "frozen.weights.h5"):
        assert (folder / "killed" / name).read_bytes() == (folder / "uninterrupted" / name).read_bytes()
    groups = read_training_groups(folder / "killed" / "frozen.weights.h5")
    assert groups == TrainingGroups(listed=frozenset({1, 2}))


def assert_restarts_and_diverges(folder, out):
    """Check that another learning rate ignores the checkpoint, and that the error lists the instances."""
    status, output = wait(start(folder, out, profile="divergent"))
    assert status == 1
    reason = f"{out}/frozen.checkpoint: checkpoint of other settings, crops, initial weights or code"
    assert f"{reason}; training restarts from the beginning" in output
    error = output.splitlines()[-1]
    assert error.startswith("error: training: the loss is ")
    iteration = int(error.split("iteration ")[1].split(";")[0])
    seed = load(Profile, folder / "divergent.yaml").training.seed
    keras.utils.set_random_seed(seed)
    (batch,) = training_batches(folder / "crops", SIZE, BATCH, seed, iteration - 1).take(1)
    ids_by_joints = {crop.joints.tobytes(): crop.id for crop in tfrecords.read(folder / "crops", "train")}
    ids = sorted({ids_by_joints[joints.numpy().tobytes()] for joints in batch[1]})
    assert len(ids) == BATCH
    assert error.endswith(f"; instances of its batch: {', '.join(ids)}")
