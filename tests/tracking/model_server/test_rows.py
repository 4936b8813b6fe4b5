from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from support import spot_model

from splitpose.errors import InputError
from splitpose.inference.pose_model import PoseModel
from splitpose.skeleton import JOINTS
from splitpose.tracking.model_server.rows import predict_rows

pytestmark = pytest.mark.integration

NO_BOX = [np.nan] * 4


@pytest.fixture(scope="module")
def spot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spot_model.write(tmp_path_factory.mktemp("spot") / "spot.tflite")


def image(x: int, y: int, width: int = 96, height: int = 64, kind: str = ".png") -> bytes:
    """Return an image file, black with a white dot at (x, y)."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[y - 4 : y + 5, x - 4 : x + 5] = 255
    return cv2.imencode(kind, pixels)[1].tobytes()


def table(*rows: tuple[bytes | None, list[float]]) -> pd.DataFrame:
    names = ["image", "box_x0", "box_y0", "box_x1", "box_y1"]
    return pd.DataFrame([[data, *box] for data, box in rows], columns=names)


def answer(rows: pd.DataFrame, model: Path) -> pd.DataFrame:
    return predict_rows(rows, PoseModel.load(model, metadata_required=True))


def test_without_a_box_the_crop_is_the_whole_image(spot):
    # 96 px become 32: a heatmap px is 12 px of the image, the dot is in the fourth column. The crop extends from
    # 16 px above the image to 16 px below, so the dot is in the third row: its middle is 2.5 * 12 - 16 - 0.5.
    for kind in (".png", ".jpg"):
        (row,) = answer(table((image(41, 14, kind=kind), NO_BOX)), spot).to_dict("records")
        for joint in JOINTS:
            assert row[f"{joint}_x"] == pytest.approx(3.5 * 12 - 0.5)
            assert row[f"{joint}_y"] == pytest.approx(2.5 * 12 - 16 - 0.5)


def test_a_box_is_padded_and_becomes_the_crop(spot):
    # The longer side, 32, times 1.5 is 48 around (60, 30): a heatmap px is 6 px, the crop begins at (36, 6).
    (row,) = answer(table((image(57, 20), [44.0, 26.0, 76.0, 34.0])), spot).to_dict("records")
    assert (row["lsho_x"], row["lsho_y"]) == pytest.approx((36 + 3.5 * 6, 6 + 2.5 * 6))
    assert row["lsho_confidence"] == pytest.approx(1, abs=0.01)


def test_rows_keep_their_order_and_index_and_columns_are_in_skeleton_order(spot):
    rows = table((image(6, 34), NO_BOX), (image(90, 34), NO_BOX))
    rows.index = pd.Index([7, 3])
    found = answer(rows, spot)
    assert list(found.columns[:6]) == ["lsho_x", "lsho_y", "lsho_confidence", "lelb_x", "lelb_y", "lelb_confidence"]
    assert [column.split("_")[0] for column in found.columns[::3]] == list(JOINTS)
    assert found["nose_x"].to_dict() == {7: pytest.approx(5.5), 3: pytest.approx(89.5)}
    assert set(found.dtypes) == {np.dtype("float64")}
    assert answer(rows[["image"]], spot).equals(found)


def test_no_rows_are_predicted_from_no_rows(spot):
    assert answer(table(), spot).shape == (0, 33)


def test_a_model_without_confidence_returns_none(tmp_path):
    model = spot_model.write(tmp_path / "middle.tflite", **spot_model.COORDINATES)
    (row,) = answer(table((image(40, 30), [10.0, 10.0, 30.0, 20.0])), model).to_dict("records")
    assert (row["rwri_x"], row["rwri_y"], row["rwri_confidence"]) == (20, 15, None)


@pytest.mark.parametrize(
    ("data", "box", "message"),
    [
        (None, NO_BOX, "no image"),
        (np.nan, NO_BOX, "no image"),
        (b"", NO_BOX, "no image"),
        ("text", NO_BOX, "no image"),
        (b"no image", NO_BOX, "image: not an image, damaged or truncated"),
        (image(41, 20)[:50], NO_BOX, "image: not an image, damaged or truncated"),
        (image(41, 20), [5.0, 5.0, 5.0, 9.0], r"the box \(5, 5, 5, 9\) is empty"),
        (image(41, 20), [5.0, 9.0, 8.0, 1.0], r"the box \(5, 9, 8, 1\) is empty"),
        (image(41, 20), [5.0, 5.0, np.inf, 9.0], r"the box \(5, 5, inf, 9\) is incomplete or infinite"),
        (image(41, 20), [-1e300, 5.0, 1e300, 9.0], r"the box \(-1e\+300, 5, 1e\+300, 9\) is incomplete or inf"),
        (image(41, 20), [5.0, 5.0, np.nan, 9.0], r"the box \(5, 5, nan, 9\) is incomplete or infinite"),
        (image(41, 20), [96.0, 5.0, 99.0, 9.0], r"the box .* is outside the image, which is 96 x 64 px"),
    ],
)
def test_a_bad_row_is_named(spot, data, box, message):
    rows = table((image(41, 20), NO_BOX), (data, box), (b"", NO_BOX))
    with pytest.raises(InputError, match=f"^row 2 of 3: {message}") as error:
        answer(rows, spot)
    assert "\n" not in str(error.value)


def test_the_largest_valid_box_has_finite_joints(spot):
    found = answer(table((image(41, 20), [-1e6, -1e6, 1e6, 1e6]), (image(41, 20), [3.0, 3.0, 3.001, 3.001])), spot)
    assert np.isfinite(found.to_numpy()).all()
