"""Training groups in files: as JSON next to the crops, and as an attribute of a Keras weights file."""

import json
from collections.abc import Sequence
from pathlib import Path

import h5py  # type: ignore[import-untyped]

from splitpose.data.training_groups import TrainingGroups
from splitpose.errors import InputError
from splitpose.files import read_json, write_json

FILE_NAME = "training_groups.json"
"""The file in the folder of the crops."""
ATTRIBUTE = "splitpose_training_groups"
"""The attribute of the HDF5 file's root group, which Keras ignores."""


def write_crop_groups(folder: Path, groups: TrainingGroups) -> None:
    """Write the groups of the training and validation crops into the folder of the crops."""
    write_json(groups.to_json(), folder / FILE_NAME)


def read_crop_groups(folder: Path) -> TrainingGroups:
    """Read the groups of the training and validation crops in a folder.

    Raises:
        InputError: the file is missing or damaged.
    """
    path = folder / FILE_NAME
    try:
        return TrainingGroups.from_json(read_json(path, produced_by="the stage augment"))
    except InputError as error:
        text = str(error)
        raise InputError(text if str(path) in text else f"{path}: {text}; create the crops again") from error


def write_training_groups(path: Path, groups: TrainingGroups) -> None:
    """Record the groups in a weights file, which already exists; the same record results in the same bytes."""
    with h5py.File(path, "r+") as file:
        file.attrs[ATTRIBUTE] = json.dumps(groups.to_json())


def read_training_groups(path: Path) -> TrainingGroups | None:
    """Read the groups that the model in a weights file has seen, None if the file has no record.

    Raises:
        InputError: the file is missing or not a weights file, or its record is damaged.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weights file")
    try:
        with h5py.File(path) as file:
            text = file.attrs.get(ATTRIBUTE)
        return None if text is None else TrainingGroups.from_json(json.loads(text))
    except InputError as error:
        raise InputError(f"{path}: {error}; train the model again") from error
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a weights file, or damaged ({reason}); train the model again") from error


def inherited_groups(own: TrainingGroups, initial_weights: Sequence[Path]) -> TrainingGroups:
    """Return what a model has seen after training: its own groups, and those of the files it starts from.

    Without a record in one of the files, the result is marked as incomplete.

    Raises:
        InputError: a file is missing or damaged.
    """
    groups = own
    for path in initial_weights:
        groups |= read_training_groups(path) or TrainingGroups(complete=False)
    return groups
