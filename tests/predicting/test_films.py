import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from predicting.fake_model import FakeModel, person, square

from splitpose.crops.geometry import whole_picture
from splitpose.errors import InputError
from splitpose.predicting import films, table
from splitpose.predicting.boxes import Person
from splitpose.predicting.how import How
from splitpose.predicting.inputs import Input
from splitpose.predicting.video import Film
from splitpose.skeleton import JOINTS

SIZE, RATE, FRAMES = (160, 120), 20.0, 30
LEFT, RIGHT = (40, 60, 30), (120, 60, 30)
"""Middles and sizes, px, of two people."""


@pytest.fixture
def walk(tmp_path) -> Input:
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, SIZE)
    for _ in range(FRAMES):
        writer.write(np.full((SIZE[1], SIZE[0], 3), 128, np.uint8))
    writer.release()
    return Input(path, "sub/walk.avi")


def box_of(x: float, y: float, size: float) -> np.ndarray:
    return np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2])


def predict(walk: Input, people: list[Person], model: FakeModel, how: How, out: Path) -> list[dict[str, str]]:
    film = Film(walk.path)
    watching = films.followers(people, film, model, how)
    with table.written(out / "rows.csv") as rows:
        assert list(films.predict(film, walk, people, watching, how, out, rows)) == list(range(FRAMES))
    with (out / "rows.csv").open() as file:
        return list(csv.DictReader(file))


def joints_of(row: dict[str, str]) -> np.ndarray:
    return np.array([[float(row[f"{joint}_{axis}"]) for axis in "xy"] for joint in JOINTS])


def test_each_frame_has_a_row_a_person(walk, tmp_path):
    people = [Person("ann", box_of(*LEFT)), Person("bob", box_of(*RIGHT))]
    rows = predict(walk, people, FakeModel([LEFT, RIGHT]), How(), tmp_path / "out")
    assert [row["id"] for row in rows] == [f"{who}#{n:06d}" for n in range(FRAMES) for who in ("ann", "bob")]
    assert {row["image"] for row in rows} == {"sub/walk.avi"}
    assert [int(row["frame"]) for row in rows[::2]] == list(range(FRAMES))
    assert [float(row["seconds"]) for row in rows[1::2]] == pytest.approx(np.arange(FRAMES) / RATE, abs=1e-3)
    for row, place in zip(rows, [LEFT, RIGHT] * FRAMES, strict=True):
        assert joints_of(row) == pytest.approx(person(*place), abs=1e-3)


def test_the_drawn_video_is_an_mp4_with_all_frames(walk, tmp_path):
    predict(walk, [Person("ann", box_of(*LEFT))], FakeModel([LEFT]), How(), tmp_path / "out")
    drawn = Film(tmp_path / "out" / "sub" / "walk.avi.mp4")
    frames = [frame.pixels for frame in drawn.frames()]
    assert (len(frames), drawn.rate, drawn.size) == (FRAMES, RATE, SIZE)
    for pixels in frames:
        assert np.abs(pixels[:, :80].astype(int) - 128).max() > 60
        assert np.abs(pixels[:, 90:].astype(int) - 128).max() < 30


def test_without_drawing_there_is_the_table_alone(walk, tmp_path):
    how = How(draw=False)
    assert len(predict(walk, [Person("ann", box_of(*LEFT))], FakeModel([LEFT]), how, tmp_path / "out")) == FRAMES
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["rows.csv"]


def test_joints_are_smoothed_unless_they_are_not_to_be(walk, tmp_path):
    def trembling() -> FakeModel:
        model = FakeModel([LEFT])
        noise, sees = np.random.default_rng(0), model.look

        def look(picture, region):
            seen = sees(picture, region)
            return type(seen)(seen.joints + noise.normal(0, 0.5, (11, 2)), seen.confidence, region)

        model.look = look
        return model

    people = [Person("ann", box_of(*LEFT))]
    shaking = {
        how.smooth: np.std([joints_of(row) for row in predict(walk, people, trembling(), how, tmp_path)], axis=0)
        for how in (How(smooth=True, draw=False), How(smooth=False, draw=False))
    }
    assert shaking[False].mean() == pytest.approx(0.5, rel=0.15)
    assert shaking[True].mean() < 0.5 * shaking[False].mean()


@pytest.mark.parametrize(
    ("box", "how", "confident", "expected"),
    [
        (box_of(*LEFT), How(), True, square(*LEFT)),
        (box_of(*LEFT), How(follow=False), True, square(*LEFT)),
        (None, How(), True, None),  # searched
        (np.full(4, np.nan), How(), True, None),  # searched
        (None, How(search=False), True, whole_picture(*SIZE)),
        (None, How(follow=False), True, whole_picture(*SIZE)),
        (None, How(), False, whole_picture(*SIZE)),
        (np.full(4, np.nan), How(), False, whole_picture(*SIZE)),
    ],
)
def test_where_a_person_is_looked_at_first(walk, box, how, confident, expected):
    model = FakeModel([LEFT], gives_confidence=confident)
    (one,) = films.followers([Person("ann", box)], Film(walk.path), model, how)
    assert one.region == expected


def test_a_box_beside_the_frames_is_told(walk):
    with pytest.raises(
        InputError, match=r"the box \(500, 10, 600, 90\) lies outside the picture, which is 160 x 120"
    ):
        films.followers([Person("ann", np.array([500.0, 10, 600, 90]))], Film(walk.path), FakeModel([]), How())
