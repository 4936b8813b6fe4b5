"""The training stages as processes that are killed: what they leave, and that they end with the same bytes."""

import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import yaml
from support.tiny_project import tiny_profile

from splitpose.crops import tfrecords
from splitpose.crops.crop import Crop
from splitpose.settings import Profile, load
from splitpose.training.batches import training_batches

BATCH, SIZE, ITERATIONS = 4, 32, 48

STAGE = """\
import errno, os, runpy, signal, sys
import keras
from splitpose.training.checkpoint import Checkpoint

write = Checkpoint.write

def full(*words):
    raise OSError(errno.ENOSPC, "No space left on device")

def killed_while_writing(checkpoint, saved):
    if saved.facts["done"] == 32:
        checkpoint.path.with_name(f".part-{checkpoint.path.name}").write_bytes(b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)
    write(checkpoint, saved)

how = sys.argv.pop(1)
if how == "killed while writing":
    Checkpoint.write = killed_while_writing
if how == "full disk":
    Checkpoint.write = full
    keras.Model.save_weights = full
runpy.run_module("splitpose.stages.train_frozen", run_name="__main__")
"""
"""Runs train_frozen with something happening on its way."""


@pytest.fixture
def folder(tmp_path, repository):
    """Crops of noise, params.yaml, and two profiles: one of them learns so fast that it breaks."""
    rng = np.random.default_rng(0)
    (tmp_path / "crops").mkdir()
    for split, count in (("train", 20), ("val", 6)):
        pixels = rng.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
        joints = rng.uniform(4, 28, (count, 11, 2)).astype(np.float32)
        crops = [Crop(f"{split}-{k}", pixels[k], joints[k], np.zeros((2, 3))) for k in range(count)]
        tfrecords.write(map(tfrecords.encode, crops), tmp_path / "crops" / f"{split}-0.tfrecord")
    profile = tiny_profile(repository)
    profile["training"] |= {"batch_size": BATCH, "validation_interval": 8}
    for name, rate in (("sound", 1e-3), ("broken", 1e30)):
        profile["training"]["frozen"] |= {"iterations": ITERATIONS, "learning_rate": rate}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(profile))
    (tmp_path / "params.yaml").write_text("profile: sound\nvariants: {baseline: {}}\n")
    return tmp_path


def start(folder, out, how="undisturbed", profile="sound"):
    words = {
        "profile": f"{profile}.yaml", "params": "params.yaml", "variant": "baseline", "crops": "crops",
        "weights": f"{out}/frozen.weights.h5", "curve": f"{out}/frozen.csv",
    }  # fmt: skip
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            STAGE,
            how,
            *(part for name, value in words.items() for part in (f"--{name}", value)),
        ],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "DVC_STAGE"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process):
    """Exit status and all that was said."""
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def test_killed_in_all_ways_it_ends_with_the_same_bytes(folder):
    undisturbed = start(folder, "undisturbed")
    checkpoint = folder / "killed" / "frozen.checkpoint"

    process = start(folder, "killed")
    while not checkpoint.is_file() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    status, said = end(process)
    assert status == 1
    assert said.splitlines()[-1].startswith("baseline: frozen: stopped after iteration ")
    assert said.splitlines()[-1].endswith(", as asked; the next run goes on there")
    assert "Traceback" not in said
    assert [path.name for path in checkpoint.parent.iterdir()] == ["frozen.checkpoint"]

    begins_anew_and_breaks(folder, "killed")

    status, said = end(start(folder, "killed", "killed while writing"))
    assert status == -signal.SIGKILL
    assert "goes on after iteration" in said, said

    kept = checkpoint.read_bytes()
    status, said = end(start(folder, "killed", "full disk"))
    assert status == 1
    assert "warning: no checkpoint could be written (No space left on device); training goes on" in said
    assert said.splitlines()[-1].startswith("error: no space left on the disk")
    assert checkpoint.read_bytes() == kept

    status, said = end(start(folder, "killed"))
    assert (status, "goes on after iteration" in said) == (0, True), said
    assert end(undisturbed)[0] == 0
    assert [path.name for path in (folder / "killed").glob("*checkpoint*")] == []
    for name in ("frozen.csv", "frozen.weights.h5"):
        assert (folder / "killed" / name).read_bytes() == (folder / "undisturbed" / name).read_bytes()


def begins_anew_and_breaks(folder, out):
    """Another learning rate leaves the checkpoint alone; a loss that is no number names the people of its batch."""
    status, said = end(start(folder, out, profile="broken"))
    assert status == 1
    other = f"{out}/frozen.checkpoint: a checkpoint of other settings, crops, weights or code; training begins anew"
    assert other in said
    error = said.splitlines()[-1]
    assert error.startswith("error: training: the loss is ")
    iteration = int(error.split("iteration ")[1].split(";")[0])
    seed = load(Profile, folder / "broken.yaml").training.seed
    keras.utils.set_random_seed(seed)
    (guilty,) = training_batches(folder / "crops", SIZE, BATCH, seed, iteration - 1).take(1)
    known = {crop.joints.tobytes(): crop.id for crop in tfrecords.read(folder / "crops", "train")}
    people = sorted({known[joints.numpy().tobytes()] for joints in guilty[1]})
    assert len(people) == BATCH
    assert error.endswith(f"; the people of its batch: {', '.join(people)}")
