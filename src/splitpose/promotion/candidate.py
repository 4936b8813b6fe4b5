"""A TFLite file that the gate evaluates, run on test instances as an application runs it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose.crops.instances import Instance, to_instances
from splitpose.inference.metadata import Metadata
from splitpose.inference.pose_model import PoseModel
from splitpose.settings import Crops

THREADS = 2


@dataclass(frozen=True)
class Candidate:
    """A TFLite file that can be scored: its metadata and the model that runs it."""

    path: Path
    metadata: Metadata
    model: PoseModel

    def instances(self, rows: pd.DataFrame, crops: Crops) -> list[Instance]:
        """Return instances of the annotation table with crop regions by the metadata instead of the profile."""
        policy = {"region_from": self.metadata.region_from, "padding": self.metadata.padding}
        return to_instances(rows, crops.model_copy(update=policy))

    def predict(self, instances: list[Instance], data: Path) -> np.ndarray:
        """Return the predicted joints of N instances: (N, K, 2) px of their images, which are below `data`.

        Raises:
            InputError: an image cannot be read.
        """
        return self.model.predict_instances(instances, data)


def load(path: Path) -> Candidate:
    """Load a TFLite file and run it once.

    Raises:
        InputError: the file is missing or damaged, has no metadata, or contradicts it.
    """
    model = PoseModel.load(path, THREADS, metadata_required=True)
    assert model.metadata is not None
    return Candidate(path, model.metadata, model)
