"""A TFLite file that the gate evaluates, with the crop policy of its own metadata."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from splitpose.crops.instances import Instance, to_instances
from splitpose.data.training_groups import TrainingGroups
from splitpose.errors import InputError
from splitpose.inference.metadata import Metadata
from splitpose.inference.pose_model import PoseModel
from splitpose.settings import Crops

THREADS = 2
"""Threads of the TFLite interpreter."""


@dataclass(frozen=True)
class Candidate:
    """A TFLite file that can be scored: its metadata and the model that runs it."""

    path: Path
    metadata: Metadata
    model: PoseModel
    training_groups: TrainingGroups | None
    """The groups that it was trained on, None if they are unknown."""

    def instances(self, rows: pd.DataFrame, crops: Crops) -> list[Instance]:
        """Return instances of the annotation table with the metadata's crop policy instead of the profile's."""
        policy = {"region_from": self.metadata.region_from, "padding": self.metadata.padding}
        return to_instances(rows, crops.model_copy(update=policy))


def load(path: Path) -> Candidate:
    """Load a TFLite file and run it once.

    Raises:
        InputError: the file is missing or damaged, has no metadata, or does not match it.
    """
    model = PoseModel.load(path, THREADS, metadata_required=True)
    assert model.metadata is not None
    return Candidate(path, model.metadata, model, _training_groups(path, model.metadata))


def _training_groups(path: Path, metadata: Metadata) -> TrainingGroups | None:
    if metadata.training_groups is None:
        return None
    try:
        return TrainingGroups.from_json(metadata.training_groups)
    except InputError as error:
        raise InputError(f"{path}: {error}; convert the model again") from error
