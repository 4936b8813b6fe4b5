import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.fake_model import FakeModel, person, square

from splitpose.crops.geometry import full_image_region
from splitpose.errors import InputError
from splitpose.inference import predictions_csv, videos
from splitpose.inference.boxes import Person
from splitpose.inference.inputs import Input
from splitpose.inference.predict_options import PredictOptions
from splitpose.inference.video_io import Video
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


def predict(
    walk: Input, people: list[Person], model: FakeModel, how: PredictOptions, out: Path
) -> list[dict[str, str]]:
    film = Video(walk.path)
    watching = videos.followers(people, film, model, how)
    with predictions_csv.written(out / "rows.csv") as rows:
        assert list(videos.predict(film, walk, people, watching, how, out, rows)) == list(range(FRAMES))
    with (out / "rows.csv").open() as file:
        return list(csv.DictReader(file))


def joints_of(row: dict[str, str]) -> np.ndarray:
    return np.array([[float(row[f"{joint}_{axis}"]) for axis in "xy"] for joint in JOINTS])


def test_each_frame_has_a_row_a_person(walk, tmp_path):
    people = [Person("ann", box_of(*LEFT)), Person("bob", box_of(*RIGHT))]
    rows = predict(walk, people, FakeModel([LEFT, RIGHT]), PredictOptions(), tmp_path / "out")
    assert [row["id"] for row in rows] == [f"{who}#{n:06d}" for n in range(FRAMES) for who in ("ann", "bob")]
    assert {row["image"] for row in rows} == {"sub/walk.avi"}
    assert [int(row["frame"]) for row in rows[::2]] == list(range(FRAMES))
    assert [float(row["seconds"]) for row in rows[1::2]] == pytest.approx(np.arange(FRAMES) / RATE, abs=1e-3)
    for row, place in zip(rows, [LEFT, RIGHT] * FRAMES, strict=True):
        assert joints_of(row) == pytest.approx(person(*place), abs=1e-3)


def test_the_drawn_video_is_an_mp4_with_all_frames(walk, tmp_path):
    predict(walk, [Person("ann", box_of(*LEFT))], FakeModel([LEFT]), PredictOptions(), tmp_path / "out")
    drawn = Video(tmp_path / "out" / "sub" / "walk.avi.mp4")
    frames = [frame.pixels for frame in drawn.frames()]
    assert (len(frames), drawn.rate, drawn.size) == (FRAMES, RATE, SIZE)
    for pixels in frames:
        assert np.abs(pixels[:, :80].astype(int) - 128).max() > 60
        assert np.abs(pixels[:, 90:].astype(int) - 128).max() < 30


def test_without_drawing_there_is_the_table_alone(walk, tmp_path):
    how = PredictOptions(draw=False)
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
        for how in (PredictOptions(smooth=True, draw=False), PredictOptions(smooth=False, draw=False))
    }
    assert shaking[False].mean() == pytest.approx(0.5, rel=0.15)
    assert shaking[True].mean() < 0.5 * shaking[False].mean()


@pytest.mark.parametrize(
    ("box", "how", "confident", "expected"),
    [
        (box_of(*LEFT), PredictOptions(), True, square(*LEFT)),
        (box_of(*LEFT), PredictOptions(follow=False), True, square(*LEFT)),
        (None, PredictOptions(), True, None),  # searched
        (np.full(4, np.nan), PredictOptions(), True, None),  # searched
        (None, PredictOptions(search=False), True, full_image_region(*SIZE)),
        (None, PredictOptions(follow=False), True, full_image_region(*SIZE)),
        (None, PredictOptions(), False, full_image_region(*SIZE)),
        (np.full(4, np.nan), PredictOptions(), False, full_image_region(*SIZE)),
    ],
)
def test_where_a_person_is_looked_at_first(walk, box, how, confident, expected):
    model = FakeModel([LEFT], gives_confidence=confident)
    (one,) = videos.followers([Person("ann", box)], Video(walk.path), model, how)
    assert one.region == expected


def test_a_box_beside_the_frames_is_told(walk):
    with pytest.raises(InputError, match=r"the box \(500, 10, 600, 90\) is outside the image, which is 160 x 120"):
        videos.followers(
            [Person("ann", np.array([500.0, 10, 600, 90]))], Video(walk.path), FakeModel([]), PredictOptions()
        )
