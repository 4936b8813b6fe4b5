"""Joints in pictures with a TFLite file alone."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from splitpose import pictures
from splitpose.codecs import Codec, codec_of
from splitpose.crops.geometry import Region, apply, crop_map, cut, invert
from splitpose.deploy import card
from splitpose.deploy.runtime import Runtime
from splitpose.drawing import draw_joints
from splitpose.errors import InputError
from splitpose.scoring import predictions


def predict(
    runtime: Runtime, picture: np.ndarray, region: Region, codec: Codec | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Joints of the person in a square of a picture.

    Args:
        runtime: the model.
        picture: (H, W, 3) uint8 BGR.
        region: the square around the person.
        codec: that the file's card names; without one it is told by the shape of the output.

    Returns:
        (K, 2) joints in px of the picture, and (K,) confidences, NaN where the model gives none.
    """
    affine = crop_map(region, runtime.size)
    crop = cut(picture, affine, runtime.size)
    outputs = runtime.run(crop[None, ..., ::-1])
    codec = codec or codec_of(outputs, runtime.size)
    return apply(invert(affine), codec.decode(outputs)[0]), codec.confidence(outputs)[0]


def predict_pictures(paths: Sequence[Path], model: Path, out: Path) -> None:
    """Write `out`/predictions.csv and each picture with its person drawn; the whole picture is the crop.

    Raises InputError naming the first picture that cannot be read, before anything is written.
    """
    runtime = Runtime(model)
    described = card.read(model)
    codec = described.codec() if described else None
    read = {path: pictures.read(path) for path in paths}
    names = [path.name for path in read]
    if len(set(names)) < len(names):
        raise InputError(f"{max(names, key=names.count)}: two pictures have this name; predict them one by one")
    out.mkdir(parents=True, exist_ok=True)
    joints = []
    for path, picture in read.items():
        height, width = picture.shape[:2]
        found, _ = predict(runtime, picture, Region((width - 1) / 2, (height - 1) / 2, max(height, width)), codec)
        joints.append(found)
        cv2.imwrite(str(out / path.name), draw_joints(picture, found))
    predictions.write(names, np.stack(joints), out / "predictions.csv")
    print(f"{len(names)} picture(s): {out / 'predictions.csv'} and drawings beside it")
