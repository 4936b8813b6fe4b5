"""Prediction of rows: an image and an optional bounding box in, the joints of its people out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from splitpose.crops.geometry import ImagePyramid
from splitpose.errors import InputError
from splitpose.inference.boxes import initial_region
from splitpose.inference.pose_model import EMPTY_POSE, PoseModel, Prediction
from splitpose.inference.sliding_window import joints_crop_policy, search_people
from splitpose.skeleton import JOINTS
from splitpose.tracking.model_server.limits import Limits
from splitpose.tracking.model_server.model_pool import ModelPool
from splitpose.tracking.model_server.row_requests import RowRequest, decode_image, parse_rows

DEFAULT_LIMITS = Limits()
ROW_COLUMN = "row"
"""The output column with the number of the input row, from 1."""
REGION_COLUMNS = ("region_x", "region_y", "region_side")
"""The output columns with centre and side of the crop region in px."""
JOINT_COLUMNS = tuple(f"{joint}_{value}" for joint in JOINTS for value in ("x", "y", "confidence"))
"""The output columns with the joints."""
OUTPUT_COLUMNS = (ROW_COLUMN, *REGION_COLUMNS, *JOINT_COLUMNS)


def predict_rows(
    rows: pd.DataFrame, pool: ModelPool, limits: Limits = DEFAULT_LIMITS, people: int = 1
) -> pd.DataFrame:
    """Predict the joints of the people in each row's image, as `splitpose predict` does.

    Args:
        rows: N rows with the column `image`, the bytes of a JPEG or PNG file, and optionally a person's bounding
            box in px, box_x0, box_y0, box_x1, box_y1. Without it the image is searched, or predicted as a whole
            if the model has no confidence output.
        pool: the model; it is not borrowed while an image is decoded.
        limits: limits of the request.
        people: maximum number of people that a search returns per image; more than 1 only if the model has a
            person threshold.

    Returns:
        One row for each person, in the order of the input, the most confident person of an image first: `row`, the
        number of the input row from 1; region_x, region_y and region_side, the crop region in px; <joint>_x and
        <joint>_y, px of the image, and <joint>_confidence from 0 to 1, which is None if the model has no
        confidence output. An image in which no person is found has one row in which only `row` is not None.

    Raises:
        InputError: the request exceeds a limit, the model cannot find several people, or the image or the bounding
            box of a row is not valid; the message contains the row's number.
    """
    if not 1 <= people <= limits.max_people:
        raise InputError(f"people is {people}; use 1 to {limits.max_people}")
    if people > 1 and not pool.has_person_threshold:
        raise InputError(f"people is {people}, but this model has no person threshold; use 1, or send boxes")
    predictions = []
    for request in parse_rows(rows, limits):
        try:
            found = _predict_people(request, pool, people)
        except InputError as error:
            raise InputError(f"row {request.number} of {len(rows)}: {error}") from error
        predictions += [(request.number, prediction) for prediction in found or [EMPTY_POSE]]
    return _to_table(predictions, rows.index)


def _predict_people(request: RowRequest, pool: ModelPool, people: int) -> Sequence[Prediction]:
    pixels = decode_image(request.data)
    height, width = pixels.shape[:2]
    image = ImagePyramid(pixels)
    with pool.borrow() as model:
        return _search_or_predict(model, image, (width, height), request.bbox, people)


def _search_or_predict(
    model: PoseModel, image: ImagePyramid, size: tuple[int, int], bbox: np.ndarray | None, people: int
) -> Sequence[Prediction]:
    if bbox is None and model.has_confidence:
        return search_people(model, image, size, joints_crop_policy(model.joints_padding), people)
    region = initial_region(bbox, *size, model.padding)
    return [model.predict_region(image, region)] if region else []


def _to_table(predictions: Sequence[tuple[int, Prediction]], index: pd.Index) -> pd.DataFrame:
    """Return the output; a row has the index of its input row."""
    numbers = np.array([number for number, _ in predictions], np.int64)
    values = np.array([_to_values(prediction) for _, prediction in predictions]).reshape(
        -1, len(OUTPUT_COLUMNS) - 1
    )
    table = pd.DataFrame(values, columns=OUTPUT_COLUMNS[1:], index=index[numbers - 1])
    if np.isnan(values).any():
        table = table.astype(object).where(table.notna(), None)  # JSON has no NaN
    table.insert(0, ROW_COLUMN, numbers)
    return table


def _to_values(prediction: Prediction) -> np.ndarray:
    """Return the values of the output columns after `row`."""
    region = prediction.region
    centre_and_side = (region.x, region.y, region.side) if region else (np.nan,) * 3
    joints = np.column_stack([prediction.joints, prediction.confidence]).ravel()
    return np.concatenate([centre_and_side, joints])
