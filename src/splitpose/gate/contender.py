"""A TFLite file that is judged, run on people in their pictures as a phone runs it."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from splitpose import pictures
from splitpose.crops.people import Person, people_of
from splitpose.deploy import card
from splitpose.deploy.card import Card
from splitpose.deploy.predict import predict
from splitpose.deploy.runtime import Runtime
from splitpose.errors import InputError
from splitpose.settings import Crops
from splitpose.skeleton import JOINTS

THREADS = 2


@dataclass(frozen=True)
class Contender:
    """A file and what its card says."""

    path: Path
    card: Card
    runtime: Runtime

    def people(self, rows: pd.DataFrame, crops: Crops) -> list[Person]:
        """People of the annotation table in squares as this model was trained on, whatever the profile says now."""
        framing = {"around": self.card.crop_around, "margin": self.card.crop_margin}
        return people_of(rows, crops.model_copy(update=framing))

    def joints(self, people: list[Person], data: Path) -> np.ndarray:
        """What the model finds: (N, K, 2) px of the pictures, which lie below `data`.

        Raises InputError naming a picture that cannot be read.
        """
        codec = self.card.codec()
        found = []
        for image, group in groupby(people, lambda person: person.image):
            in_it = list(group)
            picture = pictures.read(data / image, in_it[0].size)
            found += [predict(self.runtime, picture, person.region, codec)[0] for person in in_it]
        return np.stack(found)


def load(path: Path) -> Contender:
    """Load a file and try it once.

    Raises InputError naming a file that is missing, damaged, does not say how it is used or does not do so.
    """
    runtime = Runtime(path, THREADS)
    described = card.read(path)
    if described is None:
        raise InputError(f"{path}: has no card that says how it is used; convert the model anew")
    if described.joints != JOINTS:
        raise InputError(f"{path}: finds other joints ({', '.join(described.joints)}); train the model anew")
    empty = np.zeros((1, runtime.size, runtime.size, 3), np.uint8)
    try:
        described.codec().decode(runtime.run(empty))
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path}: does not do what its card says ({error}); convert the model anew") from error
    return Contender(path, described, runtime)
