"""Prediction of rows: an image and an optional bounding box in, the joints of the person out."""

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

IMAGE_COLUMN = "image"
"""The input column with the bytes of an image file."""
OUTPUT_COLUMNS = [f"{joint}_{value}" for joint in JOINTS for value in ("x", "y", "confidence")]
"""The output columns."""


def predict_rows(rows: pd.DataFrame, model: PoseModel) -> pd.DataFrame:
    """Predict the joints of the person in each row's image.

    Args:
        rows: N rows with the column `image`, the bytes of a JPEG or PNG file, and optionally the person's bounding
            box in px, box_x0, box_y0, box_x1, box_y1; without it the crop is the whole image.
        model: the model.

    Returns:
        N rows with the columns <joint>_x and <joint>_y, px of the image, and <joint>_confidence from 0 to 1, which
        is None if the model has no confidence output.

    Raises:
        InputError: the image or the bounding box of a row is not valid; the message contains the row's number.
    """
    predictions = []
    for number, row in enumerate(rows.to_dict("records"), 1):
        try:
            image = _image(row.get(IMAGE_COLUMN))
            region = _region(row, image, model.padding)
        except InputError as error:
            raise InputError(f"row {number} of {len(rows)}: {error}") from error
        prediction = model.predict_region(ImagePyramid(image), region)
        predictions.append(np.column_stack([prediction.joints, prediction.confidence]).ravel())
    table = pd.DataFrame(predictions, columns=OUTPUT_COLUMNS, index=rows.index, dtype=np.float64)
    empty = table.columns[table.isna().any()]  # JSON has no NaN
    return table.astype(dict.fromkeys(empty, object)).where(table.notna(), None)


def _image(data: Any) -> np.ndarray:
    """Return the image in the bytes of a file, (H, W, 3) uint8 BGR."""
    if not isinstance(data, bytes) or not data:
        raise InputError(f"no {IMAGE_COLUMN}; send the bytes of a JPEG or PNG file (base64 in JSON)")
    image = images.decode(_from_base64(data))
    if image is None:
        raise InputError(
            f"{IMAGE_COLUMN}: not an image, damaged or truncated; send a JPEG or PNG file (base64 in JSON)"
        )
    return image


def _from_base64(data: bytes) -> bytes:
    """Decode base64, which MLflow's server does for dataframe_records and dataframe_split only.

    The bytes of a JPEG or PNG file are returned unchanged: their first byte is not a character of base64.
    """
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return data


def _region(row: Mapping[Any, Any], image: np.ndarray, padding: float) -> CropRegion:
    """Return the crop region of a row: around its bounding box, or the whole image."""
    height, width = image.shape[:2]
    box = np.array([row.get(column) for column in BOX_COLUMNS], np.float64)  # None becomes NaN
    if np.isnan(box).all():
        return full_image_region(width, height)
    return bbox_region(validate_bbox(box), width, height, padding)
