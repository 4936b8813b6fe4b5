import errno
import math

import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.training.checkpoint import Checkpoint, Saved

FACTS = {"done": 7, "train_loss": 0.1 + 0.2, "rows": [{"val_loss": math.inf, "averaged": True}]}
VARIABLES = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(5, np.int64)]
BEST = [np.full(3, np.nan, np.float32)]


@pytest.fixture
def checkpoint(tmp_path):
    checkpoint = Checkpoint(tmp_path / "models" / "frozen.checkpoint", "settings A")
    checkpoint.write(Saved(FACTS, VARIABLES, BEST))
    return checkpoint


def holds(saved, facts):
    assert saved.facts == facts
    for kept, given in [(saved.variables, VARIABLES), (saved.best_weights, BEST)]:
        assert [array.dtype for array in kept] == [array.dtype for array in given]
        for one, other in zip(kept, given, strict=True):
            np.testing.assert_array_equal(one, other)


def test_what_is_written_is_read_to_the_last_bit(checkpoint):
    holds(checkpoint.read(), FACTS)


def test_order_is_kept_beyond_ten(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", "k")
    checkpoint.write(Saved({}, [np.array(k) for k in range(120)], []))
    assert [int(array) for array in checkpoint.read().variables] == list(range(120))


def test_none_is_there_before_the_first_and_after_the_end(checkpoint, tmp_path):
    assert Checkpoint(tmp_path / "other", "settings A").read() is None
    checkpoint.delete()
    assert checkpoint.read() is None
    checkpoint.delete()


def test_another_key_is_not_read(checkpoint):
    with pytest.raises(
        InputError, match=r"frozen.checkpoint: a checkpoint of other settings, crops, weights or code"
    ):
        Checkpoint(checkpoint.path, "settings B").read()


def test_a_cut_file_is_damaged(checkpoint):
    whole = checkpoint.path.read_bytes()
    for length in range(0, len(whole), 50):
        checkpoint.path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"frozen.checkpoint: a damaged checkpoint"):
            checkpoint.read()


def test_a_changed_byte_is_damage(checkpoint):
    whole = checkpoint.path.read_bytes()
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1
        checkpoint.path.write_bytes(changed)
        with pytest.raises(InputError, match=r"frozen.checkpoint: a damaged checkpoint"):
            checkpoint.read()


@pytest.mark.parametrize("end", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_one_that_could_not_be_written_leaves_the_one_before(checkpoint, monkeypatch, end):
    def interrupted(content):
        assert (checkpoint.path.parent / ".part-frozen.checkpoint").is_file()
        raise end

    with monkeypatch.context() as patch, pytest.raises(type(end)):
        patch.setattr("splitpose.training.checkpoint._digest", interrupted)  # with the file open
        checkpoint.write(Saved({"done": 8}, VARIABLES, BEST))
    holds(checkpoint.read(), FACTS)
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["frozen.checkpoint"]
