"""A TFLite file that is ready to look at people."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from splitpose.codecs import Codec, Coordinates, infer_codec
from splitpose.crops.geometry import CropRegion, ImagePyramid
from splitpose.errors import InputError
from splitpose.inference.crop_pose import predict
from splitpose.inference.metadata import Metadata, read_metadata
from splitpose.inference.runtime import Runtime
from splitpose.skeleton import JOINTS

MARGIN = 1.5
"""Of a person's square, where the file does not say which one it was trained with."""


@dataclass(frozen=True)
class Look:
    """What was found in a square of a picture.

    joints: (K, 2) px of the picture, NaN where nobody was looked at; confidence: (K,) from 0 to 1, NaN where the
    model gives none; region: the square, None where nobody was looked at.
    """

    joints: np.ndarray
    confidence: np.ndarray
    region: CropRegion | None

    @property
    def sure(self) -> float:
        """Mean confidence of all joints."""
        return float(self.confidence.mean())


NOBODY = Look(np.full((len(JOINTS), 2), np.nan), np.full(len(JOINTS), np.nan), None)


@dataclass(frozen=True)
class Model:
    """A file, what its card says (None without one) and what reads its output."""

    runtime: Runtime
    card: Metadata | None
    codec: Codec

    @property
    def margin(self) -> float:
        """Side of a person's square in longer sides of the person's box."""
        return self.card.padding if self.card else MARGIN

    @property
    def joints_margin(self) -> float:
        """The same for the box of the joints, where no other box is known."""
        return self.margin if self.boxes_are_of_joints else MARGIN

    @property
    def gives_confidence(self) -> bool:
        """Whether it says how sure it is."""
        return not isinstance(self.codec, Coordinates)

    @property
    def boxes_are_of_joints(self) -> bool:
        """Whether the boxes that it was trained with are those of the joints, and not a detector's."""
        return self.card is None or self.card.region_from == "joints"

    def look(self, picture: ImagePyramid, region: CropRegion) -> Look:
        """The person in a square of a picture."""
        joints, confidence = predict(self.runtime, picture, region, self.codec)
        return Look(joints, confidence, region)


def load(path: Path, threads: int = 1) -> Model:
    """Load a file and try it once.

    Raises InputError naming a file that is missing, damaged, or no pose model of these joints.
    """
    runtime = Runtime(path, threads)
    described = read_metadata(path)
    if described and described.joints != JOINTS:
        raise InputError(f"{path}: finds other joints ({', '.join(described.joints)}); train the model anew")
    try:
        outputs = runtime.run(np.zeros((1, runtime.size, runtime.size, 3), np.uint8))
        codec = described.codec() if described else infer_codec(outputs, runtime.size)
        shape = codec.decode(outputs).shape
    except (ValueError, RuntimeError, IndexError, TypeError) as error:
        wrong = "does not do what its card says; convert the model anew" if described else "is no pose model"
        raise InputError(f"{path}: {wrong} ({error})") from error
    if shape != (1, len(JOINTS), 2):
        raise InputError(f"{path}: is no pose model; it gives {shape}, not {len(JOINTS)} joints")
    return Model(runtime, described, codec)
