"""A TFLite file that is judged, run on people in their pictures as a phone runs it."""

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
    """A file and what its card says."""

    path: Path
    card: Metadata
    model: PoseModel

    def people(self, rows: pd.DataFrame, crops: Crops) -> list[Instance]:
        """People of the annotation table in squares as this model was trained on, whatever the profile says now."""
        framing = {"region_from": self.card.region_from, "padding": self.card.padding}
        return to_instances(rows, crops.model_copy(update=framing))

    def joints(self, people: list[Instance], data: Path) -> np.ndarray:
        """What the model finds: (N, K, 2) px of the pictures, which lie below `data`.

        Raises InputError naming a picture that cannot be read.
        """
        return self.model.predict_instances(people, data)


def load(path: Path) -> Candidate:
    """Load a file and try it once.

    Raises InputError naming a file that is missing, damaged, does not say how it is used or does not do so.
    """
    model = PoseModel.load(path, THREADS, metadata_required=True)
    assert model.metadata is not None
    return Candidate(path, model.metadata, model)
