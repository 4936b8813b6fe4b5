"""Joints of a person in a picture with a TFLite file alone."""

import cv2
import numpy as np

from splitpose.codecs import Codec, infer_codec
from splitpose.crops.geometry import CropRegion, ImagePyramid, apply_affine, crop_affine, invert_affine
from splitpose.inference.runtime import Runtime


def predict(
    runtime: Runtime, picture: np.ndarray | ImagePyramid, region: CropRegion, codec: Codec | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Joints of the person in a square of a picture.

    Args:
        runtime: the model.
        picture: (H, W, 3) uint8 BGR, or the same as an `ImagePyramid`, which is quicker for several squares of it.
        region: the square around the person.
        codec: that the file's card names; without one it is told by the shape of the output.

    Returns:
        (K, 2) joints in px of the picture, and (K,) confidences, NaN where the model gives none.
    """
    affine = crop_affine(region, runtime.size)
    source = picture if isinstance(picture, ImagePyramid) else ImagePyramid(picture)
    outputs = runtime.run(cv2.cvtColor(source.warp(affine, runtime.size), cv2.COLOR_BGR2RGB)[None])
    codec = codec or infer_codec(outputs, runtime.size)
    return apply_affine(invert_affine(affine), codec.decode(outputs)[0]), codec.confidence(outputs)[0]
