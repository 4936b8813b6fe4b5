import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.fake_model import FakeModel, person_bbox, person_joints, person_region

from splitpose.crops.geometry import full_image_region
from splitpose.errors import InputError
from splitpose.inference.boxes import InstanceBox
from splitpose.inference.inputs import InputFile
from splitpose.inference.predict_options import PredictOptions
from splitpose.inference.predictions_csv import open_predictions
from splitpose.inference.video_io import Video
from splitpose.inference.video_prediction import VideoOutput, create_trackers, predict_video
from splitpose.skeleton import JOINTS

SIZE, FPS, FRAMES = (160, 120), 20.0, 30
LEFT, RIGHT = (40, 60, 30), (120, 60, 30)
"""Centres and sizes, px, of two persons."""


@pytest.fixture
def video(tmp_path) -> InputFile:
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
    for _ in range(FRAMES):
        writer.write(np.full((SIZE[1], SIZE[0], 3), 128, np.uint8))
    writer.release()
    return InputFile(path, "sub/walk.avi")


def predict(
    file: InputFile, instances: list[InstanceBox], model: FakeModel, options: PredictOptions, out: Path
) -> list[dict[str, str]]:
    """Predict the video; return the rows of the CSV."""
    video = Video(file.path)
    trackers = create_trackers(instances, video, model, options)
    with open_predictions(out / "rows.csv") as table:
        done = predict_video(video, file, trackers, options, VideoOutput(out, table))
        assert list(done) == list(range(FRAMES))
    with (out / "rows.csv").open() as rows:
        return list(csv.DictReader(rows))


def joints_of(row: dict[str, str]) -> np.ndarray:
    return np.array([[float(row[f"{joint}_{axis}"]) for axis in "xy"] for joint in JOINTS])


def test_each_frame_has_a_row_for_each_person(video, tmp_path):
    instances = [InstanceBox("ann", person_bbox(*LEFT)), InstanceBox("bob", person_bbox(*RIGHT))]
    rows = predict(video, instances, FakeModel([LEFT, RIGHT]), PredictOptions(), tmp_path / "out")
    assert [row["id"] for row in rows] == [f"{id}#{n:06d}" for n in range(FRAMES) for id in ("ann", "bob")]
    assert {row["image"] for row in rows} == {"sub/walk.avi"}
    assert [int(row["frame"]) for row in rows[::2]] == list(range(FRAMES))
    assert [float(row["seconds"]) for row in rows[1::2]] == pytest.approx(np.arange(FRAMES) / FPS, abs=1e-3)
    for row, person in zip(rows, [LEFT, RIGHT] * FRAMES, strict=True):
        assert joints_of(row) == pytest.approx(person_joints(*person), abs=1e-3)


def test_the_drawn_video_is_an_mp4_with_all_frames(video, tmp_path):
    predict(video, [InstanceBox("ann", person_bbox(*LEFT))], FakeModel([LEFT]), PredictOptions(), tmp_path / "out")
    drawn = Video(tmp_path / "out" / "sub" / "walk.avi.mp4")
    frames = [frame.pixels for frame in drawn.frames()]
    assert (len(frames), drawn.fps, drawn.size) == (FRAMES, FPS, SIZE)
    for pixels in frames:
        assert np.abs(pixels[:, :80].astype(int) - 128).max() > 60
        assert np.abs(pixels[:, 90:].astype(int) - 128).max() < 30


def test_without_drawings_only_the_csv_is_written(video, tmp_path):
    options, out = PredictOptions(draw=False), tmp_path / "out"
    rows = predict(video, [InstanceBox("ann", person_bbox(*LEFT))], FakeModel([LEFT]), options, out)
    assert len(rows) == FRAMES
    assert [path.name for path in out.iterdir()] == ["rows.csv"]


def test_smoothing_reduces_jitter_unless_it_is_off(video, tmp_path):
    def jittering_model() -> FakeModel:
        model = FakeModel([LEFT])
        noise, predict_region = np.random.default_rng(0), model.predict_region

        def predict_with_jitter(image, region):
            prediction = predict_region(image, region)
            return replace(prediction, joints=prediction.joints + noise.normal(0, 0.5, (11, 2)))

        model.predict_region = predict_with_jitter
        return model

    instances = [InstanceBox("ann", person_bbox(*LEFT))]
    jitter = {}
    for options in (PredictOptions(smooth=True, draw=False), PredictOptions(smooth=False, draw=False)):
        rows = predict(video, instances, jittering_model(), options, tmp_path)
        jitter[options.smooth] = np.std([joints_of(row) for row in rows], axis=0)
    assert jitter[False].mean() == pytest.approx(0.5, rel=0.15)
    assert jitter[True].mean() < 0.5 * jitter[False].mean()


@pytest.mark.parametrize(
    ("bbox", "options", "has_confidence", "expected"),
    [
        (person_bbox(*LEFT), PredictOptions(), True, person_region(*LEFT)),
        (person_bbox(*LEFT), PredictOptions(track=False), True, person_region(*LEFT)),
        (None, PredictOptions(), True, None),  # searched
        (np.full(4, np.nan), PredictOptions(), True, None),  # searched
        (None, PredictOptions(sliding_window=False), True, full_image_region(*SIZE)),
        (None, PredictOptions(track=False), True, full_image_region(*SIZE)),
        (None, PredictOptions(), False, full_image_region(*SIZE)),
        (np.full(4, np.nan), PredictOptions(), False, full_image_region(*SIZE)),
    ],
)
def test_region_of_the_first_frame(video, bbox, options, has_confidence, expected):
    model = FakeModel([LEFT], has_confidence=has_confidence)
    trackers = create_trackers([InstanceBox("ann", bbox)], Video(video.path), model, options)
    assert trackers["ann"].region == expected


def test_a_box_outside_the_frames_is_reported(video):
    instance = InstanceBox("ann", np.array([500.0, 10, 600, 90]))
    with pytest.raises(InputError, match=r"the box \(500, 10, 600, 90\) is outside the image, which is 160 x 120"):
        create_trackers([instance], Video(video.path), FakeModel([]), PredictOptions())


@pytest.mark.parametrize("bbox", [None, person_bbox(*LEFT)])
def test_frames_without_a_person_have_no_joints_unless_a_box_is_given(video, tmp_path, bbox):
    model = FakeModel([LEFT], confidences=[0.6], person_threshold=0.7)
    rows = predict(video, [InstanceBox("ann", bbox)], model, PredictOptions(), tmp_path / "out")
    assert len(rows) == FRAMES
    assert {row["nose_x"] == "" for row in rows} == {bbox is None}
    assert {row["region_x"] == "" for row in rows} == {bbox is None}
