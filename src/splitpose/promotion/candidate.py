"""A TFLite file that the gate evaluates, run on test instances as an application runs it."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose import images
from splitpose.crops.geometry import ImagePyramid
from splitpose.crops.instances import Instance, to_instances
from splitpose.errors import InputError
from splitpose.inference import pose_model as models
from splitpose.inference.metadata import Metadata
from splitpose.inference.pose_model import Model
from splitpose.settings import Crops

THREADS = 2


@dataclass(frozen=True)
class Candidate:
    """A TFLite file that can be scored: its metadata and the model that runs it."""

    path: Path
    metadata: Metadata
    model: Model

    def instances(self, rows: pd.DataFrame, crops: Crops) -> list[Instance]:
        """Return instances of the annotation table with crop regions by the metadata instead of the profile."""
        policy = {"region_from": self.metadata.region_from, "padding": self.metadata.padding}
        return to_instances(rows, crops.model_copy(update=policy))

    def predict(self, instances: list[Instance], data: Path) -> np.ndarray:
        """Return the predicted joints of N instances: (N, K, 2) px of their images, which are below `data`.

        Raises:
            InputError: an image cannot be read.
        """
        joints = []
        for path, group in groupby(instances, lambda instance: instance.image):
            of_image = list(group)
            image = ImagePyramid(images.read(data / path, of_image[0].image_size))
            joints += [self.model.look(image, instance.region).joints for instance in of_image]
        return np.stack(joints)


def load(path: Path) -> Candidate:
    """Load a TFLite file and run it once.

    Raises:
        InputError: the file is missing or damaged, has no metadata, or contradicts them.
    """
    model = models.load(path, THREADS)
    if model.card is None:
        raise InputError(f"{path}: has no splitpose metadata; convert the model again")
    return Candidate(path, model.card, model)
