"""Rows with a picture and perhaps a box to rows with joints, with a TFLite file alone."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from splitpose import images
from splitpose.annotations import BOX_COLUMNS
from splitpose.crops.bounding_box import bbox_region, validate_bbox
from splitpose.crops.geometry import CropRegion, ImagePyramid, full_image_region
from splitpose.errors import InputError
from splitpose.inference.pose_model import PoseModel
from splitpose.skeleton import JOINTS

PICTURE = "picture"
COLUMNS = [f"{joint}_{what}" for joint in JOINTS for what in ("x", "y", "confidence")]


def joints_in(rows: pd.DataFrame, model: PoseModel) -> pd.DataFrame:
    """Joints of the person in each row's picture.

    Args:
        rows: `picture`, the bytes of a JPEG or PNG file, and if wanted box_x0, box_y0, box_x1, box_y1, px: the box
            that the training crops were cut around. Without one the whole picture is the crop.
        model: the model.

    Returns:
        A row each: <joint>_x and <joint>_y, px of the picture, and <joint>_confidence from 0 to 1, None where the
        model gives none.

    Raises InputError naming the first row that has no readable picture or a box that is none.
    """
    found = []
    for number, row in enumerate(rows.to_dict("records"), 1):
        try:
            picture = _picture(row.get(PICTURE))
            region = _region(row, picture, model.padding)
        except InputError as error:
            raise InputError(f"row {number} of {len(rows)}: {error}") from error
        prediction = model.predict_region(ImagePyramid(picture), region)
        found.append(np.column_stack([prediction.joints, prediction.confidence]).ravel())
    table = pd.DataFrame(found, columns=COLUMNS, index=rows.index, dtype=np.float64)
    empty = table.columns[table.isna().any()]  # JSON has no NaN
    return table.astype(dict.fromkeys(empty, object)).where(table.notna(), None)


def _picture(data: Any) -> np.ndarray:
    if not isinstance(data, bytes) or not data:
        raise InputError(f"no {PICTURE}; give the bytes of a JPEG or PNG file (base64 in JSON)")
    picture = images.decode(_from_base64(data))
    if picture is None:
        raise InputError(f"{PICTURE} is none, damaged or cut short; give a JPEG or PNG file (base64 in JSON)")
    return picture


def _from_base64(data: bytes) -> bytes:
    """MLflow's server decodes base64 in dataframe_records and dataframe_split, but not in inputs and instances.

    A JPEG or PNG file is never taken for it: its first byte is no letter.
    """
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return data


def _region(row: Mapping[Any, Any], picture: np.ndarray, margin: float) -> CropRegion:
    """The square of a row: around its box, or the whole picture."""
    height, width = picture.shape[:2]
    box = np.array([row.get(column) for column in BOX_COLUMNS], np.float64)  # None becomes NaN
    if np.isnan(box).all():
        return full_image_region(width, height)
    return bbox_region(validate_bbox(box), width, height, margin)
