"""Validation of a request's rows before any image is decoded."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from splitpose import images
from splitpose.annotations import BOX_COLUMNS
from splitpose.crops.bounding_box import validate_bbox
from splitpose.errors import InputError
from splitpose.image_header import image_size
from splitpose.tracking.model_server.limits import Limits

IMAGE_COLUMN = "image"
"""The input column with the bytes of an image file."""
FORMATS = "a JPEG or PNG file"


@dataclass(frozen=True)
class RowRequest:
    """A valid row: its `number` in the request, from 1, the image file, and (4,) x0 y0 x1 y1 px or None."""

    number: int
    data: bytes
    bbox: np.ndarray | None


def parse_rows(rows: pd.DataFrame, limits: Limits) -> Sequence[RowRequest]:
    """Return the rows of a request, checked as far as possible without decoding an image.

    Raises:
        InputError: the request exceeds a limit, or a row is not valid; the message contains the row's number.
    """
    if len(rows) > limits.max_rows:
        raise InputError(f"the request has {len(rows)} rows; send at most {limits.max_rows} at once")
    requests: list[RowRequest] = []
    total = 0
    for number, row in enumerate(rows.to_dict("records"), 1):
        name = f"row {number} of {len(rows)}"
        try:
            requests.append(RowRequest(number, _image_file(row.get(IMAGE_COLUMN), limits), _bbox(row)))
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
        total += len(requests[-1].data)
        if total > limits.max_bytes:
            raise InputError(
                f"{name}: the images up to this row have {total} bytes; send at most {limits.max_bytes} at once"
            )
    return requests


def decode_image(data: bytes) -> np.ndarray:
    """Decode a row's image file to (H, W, 3) uint8 BGR. Raises InputError if it is damaged or truncated."""
    image = images.decode(data)
    if image is None:
        raise InputError(f"{IMAGE_COLUMN}: damaged or truncated; send {FORMATS} (base64 in JSON)")
    return image


def _image_file(cell: Any, limits: Limits) -> bytes:
    """Return the bytes of an image file whose header states an acceptable size."""
    if not isinstance(cell, bytes) or not cell:
        raise InputError(f"no {IMAGE_COLUMN}; send the bytes of {FORMATS} (base64 in JSON)")
    data = _from_base64(cell)
    if image_size(data) is None:
        raise InputError(f"{IMAGE_COLUMN}: not an image, damaged or truncated; send {FORMATS} (base64 in JSON)")
    images.check_pixels(IMAGE_COLUMN, data, limits.max_pixels)
    return data


def _from_base64(data: bytes) -> bytes:
    """Decode base64, which MLflow's server does for dataframe_records and dataframe_split only.

    The bytes of a JPEG or PNG file are returned unchanged: their first byte is not a character of base64.
    """
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return data


def _bbox(row: Mapping[Any, Any]) -> np.ndarray | None:
    """Return the valid bounding box of a row, None if it has none."""
    bbox = np.array([row.get(column) for column in BOX_COLUMNS], np.float64)  # None becomes NaN
    return None if np.isnan(bbox).all() else validate_bbox(bbox)
