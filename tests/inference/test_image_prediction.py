from pathlib import Path

import cv2
import numpy as np
import pytest
from support.fake_model import HIGH_CONFIDENCE, FakeModel, person_bbox, person_joints, person_region

from splitpose.crops.geometry import CropRegion, full_image_region
from splitpose.errors import InputError
from splitpose.inference.boxes import InstanceBox
from splitpose.inference.image_prediction import ImageResult, predict_images, write_drawing
from splitpose.inference.inputs import InputFile
from splitpose.inference.pose_model import Prediction
from splitpose.inference.predict_options import PredictOptions

HEIGHT, WIDTH = 120, 160
PERSON = (60, 50, 40)
"""Centre and size, px, of the person that the model detects."""


def write(folder: Path, name: str, pixels: np.ndarray | None = None) -> InputFile:
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8) if pixels is None else pixels
    path = folder / name
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return InputFile(path, name)


def predict(files, instances, model=None, options=None):
    return list(predict_images(files, instances, model or FakeModel([PERSON]), options or PredictOptions()))


def test_instances_with_a_box_are_predicted_in_its_region(tmp_path):
    first, second = write(tmp_path, "1.png"), write(tmp_path, "2.png")
    ann, bob, eve = (InstanceBox(name, person_bbox(*PERSON)) for name in ("ann", "bob", "eve"))
    first_result, second_result = predict([first, second], {first: [ann, bob], second: [eve]})
    assert [id for id, _ in first_result.predictions] == ["ann", "bob"]
    assert [id for id, _ in second_result.predictions] == ["eve"]
    for _, prediction in (*first_result.predictions, *second_result.predictions):
        assert prediction.region == person_region(*PERSON)
        assert prediction.joints == pytest.approx(person_joints(*PERSON))


def test_without_a_box_the_image_is_searched(tmp_path):
    file = write(tmp_path, "1.png")
    ((_, prediction),) = predict([file], {file: [InstanceBox("ann")]})[0].predictions
    assert prediction.joints == pytest.approx(person_joints(*PERSON))
    assert prediction.region.side == pytest.approx(person_region(*PERSON).side)


def test_an_image_without_a_person_has_an_empty_pose(tmp_path):
    file = write(tmp_path, "1.png")
    model = FakeModel([PERSON], person_threshold=HIGH_CONFIDENCE + 0.01)
    (result,) = predict([file], {file: [InstanceBox("ann")]}, model, PredictOptions(people=3))
    ((id, prediction),) = result.predictions
    assert id == "ann"
    assert prediction.region is None
    assert np.isnan(prediction.joints).all()
    write_drawing(result, tmp_path / "out")
    assert (cv2.imread(str(tmp_path / "out" / "1.png")) == 128).all()


@pytest.mark.parametrize(("people", "ids"), [(1, ["1.png"]), (2, ["1.png", "1.png@2"]), (9, ["1.png", "1.png@2"])])
def test_several_people_are_searched_for(tmp_path, people, ids):
    file, other = write(tmp_path, "1.png"), (120, 60, 30)
    model = FakeModel([other, PERSON], confidences=[0.8, 0.9], person_threshold=0.5)
    (result,) = predict([file], {file: [InstanceBox("1.png")]}, model, PredictOptions(people=people))
    assert [id for id, _ in result.predictions] == ids
    for (_, prediction), person in zip(result.predictions, (PERSON, other), strict=False):
        assert prediction.joints == pytest.approx(person_joints(*person))


def test_the_person_in_a_box_is_predicted_even_below_the_threshold(tmp_path):
    file, model = write(tmp_path, "1.png"), FakeModel([PERSON], person_threshold=0.99)
    ((_, prediction),) = predict([file], {file: [InstanceBox("ann", person_bbox(*PERSON))]}, model)[0].predictions
    assert prediction.joints == pytest.approx(person_joints(*PERSON))


@pytest.mark.parametrize("options", [PredictOptions(sliding_window=False), PredictOptions()])
def test_without_search_the_whole_image_is_predicted(tmp_path, options):
    file = write(tmp_path, "1.png")
    model = FakeModel([PERSON], has_confidence=not options.sliding_window)
    ((_, prediction),) = predict([file], {file: [InstanceBox("ann")]}, model, options)[0].predictions
    assert prediction.region == full_image_region(WIDTH, HEIGHT)
    assert len(model.regions) == 1


def test_an_instance_that_a_detector_did_not_find_has_no_joints(tmp_path):
    file, model = write(tmp_path, "1.png"), FakeModel([PERSON])
    ((_, prediction),) = predict([file], {file: [InstanceBox("ann", np.full(4, np.nan))]}, model)[0].predictions
    assert np.isnan(prediction.joints).all()
    assert prediction.region is None
    assert model.regions == []


def test_an_image_that_cannot_be_read_is_an_error_message(tmp_path):
    good = write(tmp_path, "good.png")
    bad = {"text.jpg": b"no image", "empty.png": b"", "cut.png": good.path.read_bytes()[:60]}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    files = [*(InputFile(tmp_path / name, name) for name in (*bad, "gone.png")), good]
    *messages, last = predict(files, {file: [InstanceBox("ann")] for file in files})
    assert isinstance(last, ImageResult)
    assert messages.pop() == f"{tmp_path}/gone.png: no such image"
    for name, message in zip(bad, messages, strict=True):
        assert message.startswith(f"{tmp_path}/{name}: not a readable image")
        assert "\n" not in message


def test_a_box_outside_the_image_is_an_error_message(tmp_path):
    file = write(tmp_path, "1.png")
    message, *_ = predict([file], {file: [InstanceBox("ann", np.array([500.0, 10, 600, 90]))]})
    assert message == f"{file.path}: the box (500, 10, 600, 90) is outside the image, which is 160 x 120 px"


@pytest.mark.parametrize(
    ("name", "written"),
    [("a.png", "a.png"), ("a.JPG", "a.JPG"), ("sub/a.webp", "sub/a.webp"), ("a", "a.jpg"), ("a.xyz", "a.xyz.jpg")],
)
def test_a_drawing_has_the_inputs_name_if_the_format_can_be_written(tmp_path, name, written):
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    prediction = Prediction(person_joints(*PERSON), np.full(11, 0.9), CropRegion(60, 50, 60))
    write_drawing(ImageResult(InputFile(Path(name), name), pixels, [("ann", prediction)]), tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / written]
    drawn = cv2.imread(str(tmp_path / written))
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    changed = np.abs(drawn.astype(int) - 128).max(axis=2) > 40
    columns, rows = np.nonzero(changed.any(axis=0))[0], np.nonzero(changed.any(axis=1))[0]
    assert (columns.min() + columns.max()) / 2 == pytest.approx(60, abs=3)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(50, abs=3)


def test_a_drawing_that_cannot_be_written_is_reported_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, "imwrite", lambda *_: False)
    with pytest.raises(InputError, match=r"a.png: could not be written; check the free disk space"):
        write_drawing(ImageResult(InputFile(Path("a.png"), "a.png"), np.zeros((9, 9, 3), np.uint8)), tmp_path)
    assert list(tmp_path.iterdir()) == []
