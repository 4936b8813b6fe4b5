import errno
import math
import subprocess
import sys

import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.models import registry
from splitpose.training.checkpoint import PACKAGE, Checkpoint, TrainingState, code_files

VARIABLES = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(5, np.int64)]


def training_state(done=7):
    rows = [{"val_loss": math.inf, "averaged": True}]
    return TrainingState(done, 0.1 + 0.2, rows, [np.full(3, np.nan, np.float32)])


@pytest.fixture
def checkpoint(tmp_path):
    checkpoint = Checkpoint(tmp_path / "models" / "frozen.checkpoint", "settings A")
    checkpoint.write(training_state(), VARIABLES)
    return checkpoint


def assert_intact(checkpoint):
    state, variables = checkpoint.read()
    expected = training_state()
    assert (state.done, state.train_loss, state.rows) == (expected.done, expected.train_loss, expected.rows)
    for actual, original in [(variables, VARIABLES), (state.best_weights, expected.best_weights)]:
        assert [array.dtype for array in actual] == [array.dtype for array in original]
        for a, b in zip(actual, original, strict=True):
            np.testing.assert_array_equal(a, b)


def test_checkpoint_is_read_exactly_as_written(checkpoint):
    assert_intact(checkpoint)


def test_order_of_many_variables_is_kept(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", "k")
    checkpoint.write(TrainingState(), [np.array(k) for k in range(120)])
    assert [int(array) for array in checkpoint.read()[1]] == list(range(120))


def test_missing_and_deleted_checkpoints_are_none(checkpoint, tmp_path):
    assert Checkpoint(tmp_path / "other", "settings A").read() is None
    checkpoint.delete()
    assert checkpoint.read() is None
    checkpoint.delete()


def test_checkpoint_with_another_key_is_not_read(checkpoint):
    with pytest.raises(
        InputError, match=r"frozen.checkpoint: checkpoint of other settings, crops, initial weights or code"
    ):
        Checkpoint(checkpoint.path, "settings B").read()


def test_truncated_file_is_reported(checkpoint):
    content = checkpoint.path.read_bytes()
    for length in range(0, len(content), 50):
        checkpoint.path.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"frozen.checkpoint: damaged checkpoint"):
            checkpoint.read()


def test_changed_byte_is_reported(checkpoint):
    content = checkpoint.path.read_bytes()
    for position in range(0, len(content), 7):
        changed = bytearray(content)
        changed[position] ^= 1
        checkpoint.path.write_bytes(changed)
        with pytest.raises(InputError, match=r"frozen.checkpoint: damaged checkpoint"):
            checkpoint.read()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_interrupted_writing_keeps_the_previous_checkpoint(checkpoint, monkeypatch, error):
    def fail(content):
        assert (checkpoint.path.parent / ".part-frozen.checkpoint").is_file()
        raise error

    with monkeypatch.context() as patch, pytest.raises(type(error)):
        patch.setattr("splitpose.training.checkpoint._digest", fail)  # while the file is open
        checkpoint.write(training_state(done=8), VARIABLES)
    assert_intact(checkpoint)
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["frozen.checkpoint"]


NOT_DETERMINING = {
    "errors.py",
    "files.py",
    "progress.py",
    "settings.py",
    "yaml_files.py",
    "evaluation/training_history.py",
}
"""Modules that the training code imports and that do not influence its result; settings are in the key by value."""

LOADED_MODULES = """\
import sys
import splitpose.training.loop, splitpose.training.batches, splitpose.training.devices
import splitpose.models.from_profile
from splitpose.models import registry
for variant in registry.list_variants():
    registry.get_variant(variant)
print(*(module.__file__ for name, module in sys.modules.items() if name.startswith("splitpose.")), sep="\\n")
"""


@pytest.mark.integration  # imports TensorFlow in a process of its own
def test_key_covers_exactly_the_code_that_determines_the_result():
    program = [sys.executable, "-c", LOADED_MODULES]
    paths = subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()
    loaded = {path.removeprefix(f"{PACKAGE}/") for path in paths if not path.endswith("__init__.py")}
    covered = {path for variant in registry.list_variants() for path in code_files(variant)}
    assert {path.relative_to(PACKAGE).as_posix() for path in covered} == loaded - NOT_DETERMINING
