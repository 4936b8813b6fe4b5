"""A pose model in a TFLite file, run on crops, on regions of images and on person instances."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from splitpose import images
from splitpose.codecs import Codec, Coordinates, infer_codec
from splitpose.crops.geometry import CropRegion, ImagePyramid, apply_affine, crop_affine, invert_affine
from splitpose.errors import InputError
from splitpose.inference.metadata import Metadata, read_metadata, require_metadata
from splitpose.inference.runtime import Runtime
from splitpose.skeleton import JOINTS

if TYPE_CHECKING:  # this module imports pandas, which inference does not require
    from splitpose.crops.instances import Instance

DEFAULT_PADDING = 1.5
"""Side of a person's region over the longer side of the person's box, for files without metadata."""


@dataclass(frozen=True)
class Prediction:
    """The predicted pose of one person.

    joints: (K, 2) px of the image; confidence: (K,) from 0 to 1, NaN for models without confidence output; region:
    the crop region that the pose was predicted in. Without a region joints and confidence are NaN (`EMPTY_POSE`).
    """

    joints: np.ndarray
    confidence: np.ndarray
    region: CropRegion | None

    @property
    def mean_confidence(self) -> float:
        """Mean confidence of all joints."""
        return float(self.confidence.mean())


EMPTY_POSE = Prediction(np.full((len(JOINTS), 2), np.nan), np.full(len(JOINTS), np.nan), None)
"""The prediction for a person that the detector did not find."""


@dataclass(frozen=True)
class PoseModel:
    """A loaded TFLite file, its metadata (None if it has none) and the codec that decodes its output."""

    runtime: Runtime
    metadata: Metadata | None
    codec: Codec

    @classmethod
    def load(cls, path: Path, threads: int = 1, metadata_required: bool = False) -> "PoseModel":
        """Load a file and run it once.

        Without metadata the codec is inferred from the output's shape.

        Raises:
            InputError: the file is missing, damaged, not one of splitpose's models, or has no metadata where it
                is required.
        """
        runtime = Runtime(path, threads)
        metadata = require_metadata(path) if metadata_required else read_metadata(path)
        if metadata and metadata.joints != JOINTS:
            raise InputError(f"{path}: predicts other joints ({', '.join(metadata.joints)}); train the model again")
        try:
            outputs = runtime.run(np.zeros((1, runtime.size, runtime.size, 3), np.uint8))
            codec = metadata.codec() if metadata else infer_codec(outputs, runtime.size)
            shape = codec.decode(outputs).shape
        except (ValueError, RuntimeError, IndexError, TypeError) as error:
            if metadata is None:
                raise _other_model(path, runtime) from error
            raise InputError(f"{path}: does not match its metadata; convert the model again ({error})") from error
        if shape != (1, len(JOINTS), 2):
            raise _other_model(path, runtime)
        return cls(runtime, metadata, codec)

    @property
    def padding(self) -> float:
        """Side of a person's region over the longer side of the person's box."""
        return self.metadata.padding if self.metadata else DEFAULT_PADDING

    @property
    def joints_padding(self) -> float:
        """Side of a person's region over the longer side of the box of the joints, where no other box is known."""
        return self.padding if self.regions_from_joints else DEFAULT_PADDING

    @property
    def regions_from_joints(self) -> bool:
        """Whether the training regions were derived from the joints and not from a detector's boxes."""
        return self.metadata is None or self.metadata.region_from == "joints"

    @property
    def person_threshold(self) -> float:
        """Mean confidence below which a predicted region shows no person; 0 if it has not been calibrated."""
        return (self.metadata and self.metadata.person_threshold) or 0.0

    @property
    def has_confidence(self) -> bool:
        """Whether the output contains a confidence; regressed coordinates do not."""
        return not isinstance(self.codec, Coordinates)

    def run(self, crops: np.ndarray) -> np.ndarray:
        """Return the raw outputs (N, ...) for crops (N, S, S, 3) uint8 RGB."""
        return self.runtime.run(crops)

    def predict_region(self, image: ImagePyramid, region: CropRegion) -> Prediction:
        """Predict the pose of the person in a region of an image."""
        affine = crop_affine(region, self.runtime.size)
        crop = cv2.cvtColor(image.warp(affine, self.runtime.size), cv2.COLOR_BGR2RGB)
        outputs = self.run(crop[None])
        joints = apply_affine(invert_affine(affine), self.codec.decode(outputs)[0])
        return Prediction(joints, self.codec.confidence(outputs)[0], region)

    def predict_instances(self, instances: Sequence["Instance"], data_root: Path) -> np.ndarray:
        """Predict the joints of annotated person instances in their images.

        Args:
            instances: instances in the order of their images, so that an image is read once.
            data_root: folder that the instances' image paths are relative to.

        Returns:
            Joints (N, K, 2) in px of the images.

        Raises:
            InputError: an image is missing or not readable.
        """
        joints = []
        for path, group in groupby(instances, lambda instance: instance.image):
            in_image = list(group)
            image = ImagePyramid(images.read(data_root / path, in_image[0].image_size))
            joints += [self.predict_region(image, instance.region).joints for instance in in_image]
        return np.stack(joints)


def _other_model(path: Path, runtime: Runtime) -> InputError:
    shapes = ", ".join(map(str, runtime.output_shapes))
    return InputError(
        f"{path}: is not one of splitpose's models: its outputs are {shapes}; "
        "`splitpose benchmark` measures any TFLite file"
    )
