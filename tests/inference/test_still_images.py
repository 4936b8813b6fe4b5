from pathlib import Path

import cv2
import numpy as np
import pytest
from support.fake_model import FakeModel, person, square

from splitpose.crops.geometry import CropRegion, full_image_region
from splitpose.errors import InputError
from splitpose.inference.boxes import Person
from splitpose.inference.inputs import Input
from splitpose.inference.pose_model import Look
from splitpose.inference.predict_options import PredictOptions
from splitpose.inference.still_images import Still, draw, look_at

HEIGHT, WIDTH = 120, 160
PLACE = (60, 50, 40)
"""Middle and size, px, of the person whom the model sees."""


def write(folder: Path, name: str, pixels: np.ndarray | None = None) -> Input:
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8) if pixels is None else pixels
    path = folder / name
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return Input(path, name)


def seen(inputs, people, model=None, how=None):
    return list(look_at(inputs, people, model or FakeModel([PLACE]), how or PredictOptions()))


def box_of(x: float, y: float, size: float) -> np.ndarray:
    return np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2])


def test_everyone_in_a_box_is_looked_at_there(tmp_path):
    one, two = write(tmp_path, "1.png"), write(tmp_path, "2.png")
    ann, bob, eve = (Person(name, box_of(*PLACE)) for name in ("ann", "bob", "eve"))
    first, second = seen([one, two], {one: [ann, bob], two: [eve]})
    assert [who.id for who, _ in first.looks] == ["ann", "bob"]
    assert [who.id for who, _ in second.looks] == ["eve"]
    for _, look in (*first.looks, *second.looks):
        assert look.region == square(*PLACE)
        assert look.joints == pytest.approx(person(*PLACE))


def test_without_a_box_the_person_is_searched(tmp_path):
    one = write(tmp_path, "1.png")
    ((_, look),) = seen([one], {one: [Person("ann")]})[0].looks
    assert look.joints == pytest.approx(person(*PLACE))
    assert look.region.side == pytest.approx(square(*PLACE).side)


@pytest.mark.parametrize("how", [PredictOptions(search=False), PredictOptions()])
def test_who_is_not_searched_is_looked_at_in_the_whole_picture(tmp_path, how):
    one = write(tmp_path, "1.png")
    model = FakeModel([PLACE], gives_confidence=not how.search)
    ((_, look),) = seen([one], {one: [Person("ann")]}, model, how)[0].looks
    assert look.region == full_image_region(WIDTH, HEIGHT)
    assert len(model.looks) == 1


def test_whom_a_detector_did_not_find_has_no_joints(tmp_path):
    one, model = write(tmp_path, "1.png"), FakeModel([PLACE])
    ((_, look),) = seen([one], {one: [Person("ann", np.full(4, np.nan))]}, model)[0].looks
    assert np.isnan(look.joints).all()
    assert look.region is None
    assert model.looks == []


def test_what_cannot_be_read_is_a_line_in_its_place(tmp_path):
    good = write(tmp_path, "good.png")
    bad = {"text.jpg": b"no picture", "empty.png": b"", "cut.png": good.path.read_bytes()[:60]}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    inputs = [*(Input(tmp_path / name, name) for name in bad), Input(tmp_path / "gone.png", "gone.png"), good]
    *lines, last = seen(inputs, {each: [Person("ann")] for each in inputs})
    assert isinstance(last, Still)
    for each, line in zip(inputs, lines, strict=False):
        assert line.startswith(f"{each.path}: no ")
        assert "\n" not in line


def test_a_box_beside_the_picture_is_a_line_in_its_place(tmp_path):
    one = write(tmp_path, "1.png")
    line, *_ = seen([one], {one: [Person("ann", np.array([500.0, 10, 600, 90]))]})
    assert line == f"{one.path}: the box (500, 10, 600, 90) is outside the image, which is 160 x 120 px"


@pytest.mark.parametrize(
    ("name", "written"),
    [("a.png", "a.png"), ("a.JPG", "a.JPG"), ("sub/a.webp", "sub/a.webp"), ("a", "a.jpg"), ("a.xyz", "a.xyz.jpg")],
)
def test_a_drawing_keeps_its_name_where_that_can_be_written(tmp_path, name, written):
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    look = Look(person(*PLACE), np.full(11, 0.9), CropRegion(60, 50, 60))
    draw(Still(Input(Path(name), name), pixels, [(Person("ann"), look)]), tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / written]
    drawn = cv2.imread(str(tmp_path / written))
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    changed = np.abs(drawn.astype(int) - 128).max(axis=2) > 40
    across, down = np.nonzero(changed.any(axis=0))[0], np.nonzero(changed.any(axis=1))[0]
    assert (across.min() + across.max()) / 2 == pytest.approx(60, abs=3)
    assert (down.min() + down.max()) / 2 == pytest.approx(50, abs=3)


def test_a_drawing_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, "imwrite", lambda *_: False)
    with pytest.raises(InputError, match=r"a.png: could not be written; is there room\?"):
        draw(Still(Input(Path("a.png"), "a.png"), np.zeros((9, 9, 3), np.uint8)), tmp_path)
    assert list(tmp_path.iterdir()) == []
