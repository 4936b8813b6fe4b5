from pathlib import Path

import h5py
import pytest

from splitpose.data.training_groups import TrainingGroups
from splitpose.data.training_groups_files import (
    ATTRIBUTE,
    FILE_NAME,
    inherited_groups,
    read_crop_groups,
    read_training_groups,
    write_crop_groups,
    write_training_groups,
)
from splitpose.errors import InputError

ONE, TWO = TrainingGroups(listed=frozenset({1})), TrainingGroups(listed=frozenset({2}))


def weights(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["layers/vars/0"] = [1.0, 2.0]
    return path


def test_crop_groups_are_read_back(tmp_path):
    write_crop_groups(tmp_path, ONE)
    assert read_crop_groups(tmp_path) == ONE


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file; the stage augment writes it"),
        ("{", "not valid JSON"),
        ("{}", "the record of the training groups is damaged .*; create the crops again"),
    ],
)
def test_missing_and_damaged_crop_groups_are_reported(tmp_path, content, message):
    if content is not None:
        (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(InputError, match=rf"training_groups\.json: {message}") as error:
        read_crop_groups(tmp_path)
    assert "\n" not in str(error.value)


def test_a_record_in_a_weights_file_is_read_back_and_its_bytes_are_reproducible(tmp_path):
    first, second = weights(tmp_path / "1.weights.h5"), weights(tmp_path / "2.weights.h5")
    assert read_training_groups(first) is None
    large = TrainingGroups(listed=frozenset(range(0, 2**32, 50_021)))  # an attribute is limited to 64 kB elsewhere
    for path in (first, second):
        write_training_groups(path, large)
    assert first.read_bytes() == second.read_bytes()
    assert read_training_groups(first) == large
    write_training_groups(first, ONE)
    assert read_training_groups(first) == ONE
    with h5py.File(first) as file:
        assert file["layers/vars/0"][:].tolist() == [1.0, 2.0]


def test_missing_and_damaged_weights_files_are_reported(tmp_path):
    path = tmp_path / "x.weights.h5"
    with pytest.raises(InputError, match=r"x\.weights\.h5: no such weights file"):
        read_training_groups(path)
    path.write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"x\.weights\.h5: not a weights file, or damaged") as error:
        read_training_groups(path)
    assert "\n" not in str(error.value)
    weights(path)
    for value in ("{", "[]", 3):
        with h5py.File(path, "r+") as file:
            file.attrs[ATTRIBUTE] = value
        with pytest.raises(InputError, match=r"x\.weights\.h5: .*damaged.*; train the model again"):
            read_training_groups(path)


def test_groups_are_inherited(tmp_path):
    known, unknown = weights(tmp_path / "known.weights.h5"), weights(tmp_path / "unknown.weights.h5")
    write_training_groups(known, TWO)
    assert inherited_groups(ONE, []) == ONE
    assert inherited_groups(ONE, [known]) == TrainingGroups(listed=frozenset({1, 2}))
    assert inherited_groups(ONE, [known, unknown]) == TrainingGroups(listed=frozenset({1, 2}), complete=False)
