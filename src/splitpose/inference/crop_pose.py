"""Joints of a person in a picture with a TFLite file alone."""

import cv2
import numpy as np

from splitpose.codecs import Codec, codec_of
from splitpose.crops.geometry import CropRegion, Picture, apply, crop_affine, invert
from splitpose.inference.runtime import Runtime


def predict(
    runtime: Runtime, picture: np.ndarray | Picture, region: CropRegion, codec: Codec | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Joints of the person in a square of a picture.

    Args:
        runtime: the model.
        picture: (H, W, 3) uint8 BGR, or the same as a `Picture`, which is quicker for several squares of it.
        region: the square around the person.
        codec: that the file's card names; without one it is told by the shape of the output.

    Returns:
        (K, 2) joints in px of the picture, and (K,) confidences, NaN where the model gives none.
    """
    affine = crop_affine(region, runtime.size)
    source = picture if isinstance(picture, Picture) else Picture(picture)
    outputs = runtime.run(cv2.cvtColor(source.cut(affine, runtime.size), cv2.COLOR_BGR2RGB)[None])
    codec = codec or codec_of(outputs, runtime.size)
    return apply(invert(affine), codec.decode(outputs)[0]), codec.confidence(outputs)[0]
