"""Rows with images in, rows with the joints of their people out, as `splitpose predict` finds them."""

import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from support import spot_model

from splitpose import images
from splitpose.crops.geometry import CropRegion, ImagePyramid
from splitpose.errors import InputError
from splitpose.inference import predict
from splitpose.inference.pose_model import PoseModel
from splitpose.inference.predict_options import PredictOptions
from splitpose.skeleton import JOINTS
from splitpose.tracking.model_server.limits import Limits
from splitpose.tracking.model_server.model_pool import ModelPool
from splitpose.tracking.model_server.rows import predict_rows

pytestmark = pytest.mark.integration

NO_BOX = [np.nan] * 4


@pytest.fixture(scope="module")
def spot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that finds the brightest place, and no person if it is darker than half of white."""
    return spot_model.write(tmp_path_factory.mktemp("spot") / "spot.tflite", person_threshold=0.5)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without confidence output, which returns the crop's centre."""
    return spot_model.write(tmp_path_factory.mktemp("centre") / "centre.tflite", **spot_model.COORDINATES)


def image(
    x: int, y: int, width: int = 96, height: int = 64, kind: str = ".png", value: int = 255, noise: int = 0
) -> bytes:
    """Return an image file, black or with noise, with a dot at (x, y)."""
    pixels = np.random.default_rng(1).integers(0, noise + 1, (height, width, 3)).astype(np.uint8)
    pixels[y - 4 : y + 5, x - 4 : x + 5] = value
    return cv2.imencode(kind, pixels)[1].tobytes()


def png_header(width: int, height: int) -> bytes:
    """Return a PNG file that states this size and contains no pixels."""
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), b"IEND"]
    coded = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(coded)


def table(*rows: tuple[bytes | None, list[float]]) -> pd.DataFrame:
    names = ["image", "box_x0", "box_y0", "box_x1", "box_y1"]
    return pd.DataFrame([[data, *box] for data, box in rows], columns=names)


def answer(rows: pd.DataFrame, model: Path, limits: Limits = Limits(), people: int = 1) -> pd.DataFrame:  # noqa: B008
    return predict_rows(rows, ModelPool(model, 1), limits, people)


def test_without_a_box_the_image_is_searched(spot):
    # The search ends in a region inside the dot of 9 x 9 px; the whole image's heatmap px are 12 px wide.
    for kind in (".png", ".jpg"):
        (row,) = answer(table((image(41, 14, kind=kind), NO_BOX)), spot).to_dict("records")
        for joint in JOINTS:
            assert row[f"{joint}_x"] == pytest.approx(41, abs=5)
            assert row[f"{joint}_y"] == pytest.approx(14, abs=5)
        assert (row["row"], row["region_side"]) == (1, 1.5)  # all joints are in one place: 1 px times 1.5


def test_results_are_those_of_the_command_predict(spot, centre, tmp_path):
    files = {f"{x}.png": image(x, 34, noise=100) for x in (6, 30, 90)} | {"a.jpg": image(70, 150, 200, 300, ".jpg")}
    files["empty.png"] = image(30, 34, value=90)  # below the person threshold
    (tmp_path / "in").mkdir()
    for name, data in files.items():
        (tmp_path / "in" / name).write_bytes(data)
    boxes = [NO_BOX, [20.0, 10.0, 80.0, 60.0]]
    for model in (spot, centre):
        for box in boxes:
            out = tmp_path / f"{model.stem}{box[0]}"
            given = None if box is NO_BOX else box
            predict.predict([tmp_path / "in"], model, out, given, PredictOptions(draw=False))
            command = pd.read_csv(out / "predictions.csv").set_index("id").loc[list(files)]
            server = answer(table(*((data, box) for data in files.values())), model)
            columns = list(server.columns.drop("row"))
            np.testing.assert_allclose(
                server[columns].astype(float).to_numpy(), command[columns].to_numpy(), atol=2e-3, equal_nan=True
            )  # the CSV has 2 or 3 decimals


def test_an_image_without_a_person_has_an_empty_row(spot):
    dark = image(41, 14, value=100)  # its confidence, 0.4, is below the threshold
    found = answer(table((image(6, 34), NO_BOX), (dark, NO_BOX), (image(90, 34), NO_BOX)), spot, people=1)
    assert list(found["row"]) == [1, 2, 3]
    assert found.iloc[1, 1:].isna().all()
    assert found.iloc[[0, 2], 1:].notna().all(axis=None)
    # The user says where the person is; as in the command, the threshold is for searches.
    (row,) = answer(table((dark, [30.0, 10.0, 50.0, 20.0])), spot).to_dict("records")
    assert row["nose_confidence"] == pytest.approx(100 / 255, abs=0.01)


def test_several_people_have_a_row_each(spot, monkeypatch):
    # The search itself is tested with inference; here it finds as many people as it may, at different places.
    def find(model: PoseModel, image: ImagePyramid, size: tuple[int, int], policy: object, people: int) -> list:
        return [model.predict_region(image, CropRegion(10 * person, 0, 8)) for person in range(people)]

    monkeypatch.setattr("splitpose.tracking.model_server.rows.search_people", find)
    rows = table((image(41, 14), NO_BOX), (image(6, 34), [0.0, 0.0, 20.0, 50.0]), (image(41, 14), NO_BOX))
    rows.index = pd.Index([7, 3, 5])
    found = answer(rows, spot, people=2)
    assert list(found["row"]) == [1, 1, 2, 3, 3]  # a box is one person's
    assert list(found["region_x"]) == [0, 10, 10, 0, 10]
    assert list(found.index) == [7, 7, 3, 5, 5]
    assert list(answer(rows, spot)["row"]) == [1, 2, 3]


@pytest.mark.parametrize("people", [0, 21, -1])
def test_the_number_of_people_is_limited(spot, people):
    with pytest.raises(InputError, match=f"people is {people}; use 1 to 20"):
        answer(table(), spot, people=people)


def test_a_model_without_a_person_threshold_finds_one_person(centre):
    with pytest.raises(InputError, match=r"^people is 2, but this model has no person threshold; use 1, or send"):
        answer(table((image(40, 30), NO_BOX)), centre, people=2)


def test_a_box_is_padded_and_becomes_the_crop(spot):
    # The longer side, 32, times 1.5 is 48 around (60, 30): a heatmap px is 6 px, the crop begins at (36, 6).
    (row,) = answer(table((image(57, 20), [44.0, 26.0, 76.0, 34.0])), spot).to_dict("records")
    assert (row["lsho_x"], row["lsho_y"]) == pytest.approx((36 + 3.5 * 6, 6 + 2.5 * 6))
    assert row["lsho_confidence"] == pytest.approx(1, abs=0.01)
    assert (row["region_x"], row["region_y"], row["region_side"]) == (60, 30, 48)


def test_rows_keep_their_order_and_index_and_columns_are_in_skeleton_order(spot):
    rows = table((image(6, 34), NO_BOX), (image(90, 34), NO_BOX))
    rows.index = pd.Index([7, 3])
    found = answer(rows, spot)
    assert list(found.columns[:6]) == ["row", "region_x", "region_y", "region_side", "lsho_x", "lsho_y"]
    assert [column.split("_")[0] for column in found.columns[4::3]] == list(JOINTS)
    assert found["nose_x"].to_dict() == {7: pytest.approx(6, abs=5), 3: pytest.approx(90, abs=5)}
    assert list(found.dtypes) == [np.dtype("int64")] + [np.dtype("float64")] * 36
    assert answer(rows[["image"]], spot).equals(found)


def test_no_rows_are_predicted_from_no_rows(spot):
    assert answer(table(), spot).shape == (0, 37)


def test_a_model_without_confidence_returns_none_and_uses_the_whole_image(centre):
    rows = table((image(40, 30), [10.0, 10.0, 30.0, 20.0]), (image(40, 30), NO_BOX))
    boxed, whole = answer(rows, centre).to_dict("records")
    assert (boxed["rwri_x"], boxed["rwri_y"], boxed["rwri_confidence"]) == (20, 15, None)
    assert (whole["region_x"], whole["region_y"], whole["region_side"]) == (47.5, 31.5, 96)


@pytest.mark.parametrize(
    ("data", "box", "message"),
    [
        (None, NO_BOX, "no image"),
        (np.nan, NO_BOX, "no image"),
        (b"", NO_BOX, "no image"),
        ("text", NO_BOX, "no image"),
        (b"no image", NO_BOX, "image: not an image, damaged or truncated"),
        (image(41, 20, kind=".bmp"), NO_BOX, "image: not an image, .*; send a JPEG or PNG file"),
        (image(41, 20)[:50], NO_BOX, "image: damaged or truncated"),
        (png_header(8000, 8001), NO_BOX, "image: has 8000 x 8001 px, but at most 64 million px are accepted"),
        (image(41, 20), [5.0, 5.0, 5.0, 9.0], r"the box \(5, 5, 5, 9\) is empty"),
        (image(41, 20), [5.0, 9.0, 8.0, 1.0], r"the box \(5, 9, 8, 1\) is empty"),
        (image(41, 20), [5.0, 5.0, np.inf, 9.0], r"the box \(5, 5, inf, 9\) is incomplete or infinite"),
        (image(41, 20), [-1e300, 5.0, 1e300, 9.0], r"the box \(-1e\+300, 5, 1e\+300, 9\) is incomplete or inf"),
        (image(41, 20), [5.0, 5.0, np.nan, 9.0], r"the box \(5, 5, nan, 9\) is incomplete or infinite"),
        (image(41, 20), [96.0, 5.0, 99.0, 9.0], r"the box .* is outside the image, which is 96 x 64 px"),
    ],
)
def test_a_bad_row_is_named(spot, data, box, message):
    rows = table((image(41, 20), NO_BOX), (data, box), (image(41, 20), NO_BOX))
    with pytest.raises(InputError, match=f"^row 2 of 3: {message}") as error:
        answer(rows, spot)
    assert "\n" not in str(error.value)


def test_rows_and_bytes_are_limited(spot):
    row = (image(41, 20), NO_BOX)
    size = len(row[0])
    answer(table(row, row), spot, Limits(max_rows=2, max_bytes=2 * size))
    with pytest.raises(InputError, match=r"^the request has 3 rows; send at most 2 at once"):
        answer(table(row, row, row), spot, Limits(max_rows=2))
    with pytest.raises(InputError, match=f"^row 2 of 2: .* have {2 * size} bytes; send at most {2 * size - 1} at"):
        answer(table(row, row), spot, Limits(max_bytes=2 * size - 1))


def test_nothing_is_decoded_if_a_later_row_exceeds_the_limit(spot, monkeypatch):
    monkeypatch.setattr(images, "decode", lambda data: pytest.fail("an image was decoded"))
    with pytest.raises(InputError, match=r"^row 2 of 2: image: has 15000 x 15000 px"):
        answer(table((image(41, 20), NO_BOX), (png_header(15000, 15000), NO_BOX)), spot)


def test_an_image_is_decoded_while_all_models_are_in_use(spot, monkeypatch):
    pool = ModelPool(spot, 1)
    decoded = threading.Event()
    decode = images.decode
    monkeypatch.setattr(images, "decode", lambda data: (decode(data), decoded.set())[0])
    with ThreadPoolExecutor(1) as threads:
        with pool.borrow():
            waiting = threads.submit(predict_rows, table((image(41, 20), NO_BOX)), pool)
            assert decoded.wait(30)
            assert not waiting.done()
        assert len(waiting.result(30)) == 1


def test_a_request_does_not_wait_for_another(spot):
    pool = ModelPool(spot, 2)
    with ThreadPoolExecutor(1) as threads, pool.borrow():
        assert len(threads.submit(predict_rows, table((image(41, 20), NO_BOX)), pool).result(30)) == 1


def test_the_largest_valid_box_has_finite_joints(spot):
    found = answer(table((image(41, 20), [-1e6, -1e6, 1e6, 1e6]), (image(41, 20), [3.0, 3.0, 3.001, 3.001])), spot)
    assert np.isfinite(found.to_numpy()).all()
