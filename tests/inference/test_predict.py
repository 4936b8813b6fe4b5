"""`splitpose predict` on images and videos whose joints are known, with a model that detects coloured dots."""

import csv
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from support import web_models
from support.processes import restore_sigint, wait_for

from splitpose import images
from splitpose.cli import main
from splitpose.codecs import Coordinates, Heatmaps
from splitpose.evaluation import predictions
from splitpose.inference.video_io import Video
from splitpose.inference.video_writer import video_writer
from splitpose.skeleton import JOINTS

pytestmark = pytest.mark.integration

COMMAND = [sys.executable, "-c", "import sys; from splitpose.cli import main; sys.exit(main(sys.argv[1:]))"]
FRAMES, FPS = 40, 20.0
WIDTH, HEIGHT = 480, 360


@pytest.fixture(scope="module")
def dots(tmp_path_factory) -> Path:
    """A model that detects the dots of `web_models.image` with high confidence."""
    folder = tmp_path_factory.mktemp("models")
    web_models.write_model(
        folder, "dots", "float32", web_models.dots(half=False), Heatmaps(web_models.SIZE, 3.0, "dark")
    )
    return folder / "dots" / "float32.tflite"


@pytest.fixture(scope="module")
def calibrated(dots) -> Path:
    """The same model with a person threshold."""
    content = web_models.dots(half=False)
    codec = Heatmaps(web_models.SIZE, 3.0, "dark")
    web_models.write_model(dots.parents[1], "calibrated", "float32", content, codec, person_threshold=0.8)
    return dots.parents[1] / "calibrated" / "float32.tflite"


@pytest.fixture(scope="module")
def coordinates(tmp_path_factory) -> Path:
    """A coordinate model that predicts the centre of the region for every joint."""
    import tensorflow as tf

    def function(crop):
        return tf.zeros((1, 11, 2)) * tf.reduce_mean(crop)

    folder = tmp_path_factory.mktemp("models")
    web_models.write_model(
        folder, "centre", "float32", web_models.convert(function, (1, 64, 64, 3)), Coordinates(64)
    )
    return folder / "centre" / "float32.tflite"


def offset(frame: int) -> np.ndarray:
    """Return the position of the top left corner of `web_models.image` in a frame of `write_video`, px."""
    return np.array([20 + 5 * frame, 100 - 2 * frame])


def render_frame(number: int) -> np.ndarray:
    """Return the dots on grey."""
    pixels, dots = np.full((HEIGHT, WIDTH, 3), web_models.GREY, np.uint8), web_models.image()
    x, y = offset(number)
    pixels[y : y + dots.shape[0], x : x + dots.shape[1]] = dots
    return pixels


def write_video(path: Path) -> Path:
    """Write a video in which the dots move uniformly."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    for number in range(FRAMES):
        writer.write(render_frame(number))
    writer.release()
    return path


def write_image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), render_frame(0))
    return path


def to_bbox(joints: np.ndarray) -> list[str]:
    return [str(edge) for edge in (*joints.min(axis=0), *joints.max(axis=0))]


def run(*arguments: object) -> int:
    return main(["predict", *map(str, arguments)])


def read_rows(out: Path) -> list[dict[str, str]]:
    with (out / "predictions.csv").open() as file:
        return list(csv.DictReader(file))


def joints_of(row: dict[str, str]) -> np.ndarray:
    return np.array([[float(row[f"{joint}_{axis}"]) for axis in "xy"] for joint in JOINTS])


def confidences(row: dict[str, str]) -> np.ndarray:
    return np.array([float(row[f"{joint}_confidence"]) for joint in JOINTS])


def test_images_and_folders_become_one_csv_and_drawings_with_their_names(dots, tmp_path, capsys):
    image = write_image(tmp_path / "in" / "one.png")
    write_image(tmp_path / "in" / "sub" / "two.bmp")
    out = tmp_path / "out"
    bbox = to_bbox(web_models.JOINT_POSITIONS + offset(0))
    assert run(tmp_path / "in", "--model", dots, "--out", out, "--box", *bbox) == 0
    rows = read_rows(out)
    assert [row["id"] for row in rows] == ["one.png", "sub/two.bmp"]
    for row in rows:
        assert joints_of(row) == pytest.approx(web_models.JOINT_POSITIONS + offset(0), abs=2.5)
        assert (confidences(row) > 0.9).all()
        assert row["frame"] == row["seconds"] == ""
    drawn, before = cv2.imread(str(out / "one.png")), cv2.imread(str(image))
    assert drawn.shape == before.shape
    assert (drawn != before).any()
    assert (out / "sub" / "two.bmp").is_file()
    printed = capsys.readouterr()
    assert "2 rows" in printed.out
    assert "left joints are those towards the image's right, whichever way a person faces" in printed.out
    ids, joints = predictions.read(out / "predictions.csv")  # as `splitpose score` reads it
    assert ids == ["one.png", "sub/two.bmp"]
    assert joints[0] == pytest.approx(joints_of(rows[0]))


def test_without_a_box_the_image_is_searched(dots, tmp_path):
    image, out = write_image(tmp_path / "one.png"), tmp_path / "out"
    assert run(image, "--model", dots, "--out", out) == 0
    (row,) = read_rows(out)
    assert joints_of(row) == pytest.approx(web_models.JOINT_POSITIONS + offset(0), abs=2.5)
    assert float(row["region_side"]) < HEIGHT


def test_images_without_a_person_are_reported_and_have_rows_without_joints(calibrated, tmp_path, capsys):
    write_image(tmp_path / "in" / "one.png")
    grey = np.full((HEIGHT, WIDTH, 3), web_models.GREY, np.uint8)
    cv2.imwrite(str(tmp_path / "in" / "grey.png"), grey)
    assert run(tmp_path / "in", "--model", calibrated, "--out", tmp_path / "out") == 0
    empty, found = read_rows(tmp_path / "out")
    assert (empty["id"], found["id"]) == ("grey.png", "one.png")
    assert joints_of(found) == pytest.approx(web_models.JOINT_POSITIONS + offset(0), abs=2.5)
    assert set(list(empty.values())[2:]) == {""}
    assert (cv2.imread(str(tmp_path / "out" / "grey.png")) == grey).all()
    printed = capsys.readouterr().out
    assert "grey.png: no person" in printed
    assert "one.png: no person" not in printed
    assert "2 rows, 1 of them without a person: " in printed


def test_several_people_have_ids_of_their_own(calibrated, tmp_path, capsys):
    image = cv2.hconcat([render_frame(0), render_frame(10)])
    cv2.imwrite(str(tmp_path / "two.png"), image)
    write_video(tmp_path / "walk.mp4")
    model = ("--model", calibrated, "--out", tmp_path / "out")
    assert run(tmp_path / "two.png", *model, "--people", 5) == 0
    rows = read_rows(tmp_path / "out")
    assert [row["id"] for row in rows] == ["two.png", "two.png@2"]
    expected = [web_models.JOINT_POSITIONS + offset(0), web_models.JOINT_POSITIONS + offset(10) + [WIDTH, 0]]
    for row, joints in zip(sorted(rows, key=lambda row: float(row["nose_x"])), expected, strict=True):
        assert joints_of(row) == pytest.approx(joints, abs=2.5)
    assert run(tmp_path / "walk.mp4", tmp_path / "two.png", *model, "--people", 2) == 1
    assert "walk.mp4: several people in a video require --boxes with one row for each" in capsys.readouterr().err


def test_a_model_without_a_person_threshold_reports_it(dots, coordinates, tmp_path, capsys):
    image, out = write_image(tmp_path / "one.png"), tmp_path / "out"
    assert run(image, "--model", dots, "--out", out) == 0
    assert "this model has no person threshold, so a person is predicted in every" in capsys.readouterr().out
    for model, problem in ((dots, "no person threshold"), (coordinates, "no confidence output")):
        assert run(image, "--model", model, "--out", tmp_path / "none", "--people", 2) == 1
        assert f"float32.tflite: has {problem}, so it cannot find 2 people; " in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("options", [("--no-search",), ("--box", "1", "1", "9", "9")])
def test_several_people_require_a_search(calibrated, tmp_path, options, capsys):
    image = write_image(tmp_path / "one.png")
    assert run(image, "--model", calibrated, "--out", tmp_path / "out", "--people", 2, *options) == 2
    assert "requires a search" in capsys.readouterr().err


def test_without_search_the_whole_image_is_predicted(dots, tmp_path):
    image, out = write_image(tmp_path / "one.png"), tmp_path / "out"
    assert run(image, "--model", dots, "--out", out, "--no-search") == 0
    (row,) = read_rows(out)
    assert [float(row[f"region_{part}"]) for part in ("x", "y", "side")] == [239.5, 179.5, WIDTH]


def test_a_model_without_confidence_does_not_search_and_reports_it_once(coordinates, tmp_path, capsys):
    for name in ("one.png", "two.png"):
        write_image(tmp_path / "in" / name)
    assert run(tmp_path / "in", "--model", coordinates, "--out", tmp_path / "out") == 0
    message = "this model has no confidence output, so images are not searched for a person"
    assert capsys.readouterr().out.count(message) == 1
    assert [row["region_side"] for row in read_rows(tmp_path / "out")] == ["480.000"] * 2


@pytest.mark.parametrize("option", ["box", "boxes", "none"])
def test_the_person_in_a_video_is_tracked(dots, tmp_path, option, capsys):
    path, out = write_video(tmp_path / "walk.mp4"), tmp_path / "out"
    first = to_bbox(web_models.JOINT_POSITIONS + offset(0))
    (tmp_path / "boxes.csv").write_text(f"image,id,box_x0,box_y0,box_x1,box_y1\nwalk.mp4,me,{','.join(first)}\n")
    options = {"box": ["--box", *first], "boxes": ["--boxes", tmp_path / "boxes.csv"], "none": []}[option]
    assert run(path, "--model", dots, "--out", out, *options) == 0
    rows = read_rows(out)
    name = "me" if option == "boxes" else "walk.mp4"
    assert [row["id"] for row in rows] == [f"{name}#{number:06d}" for number in range(FRAMES)]
    assert [float(row["seconds"]) for row in rows] == pytest.approx(np.arange(FRAMES) / FPS, abs=2e-3)
    start = 0 if option != "none" else 10  # the first result may be wrong; the second search is 1/3 s later
    for number, row in list(enumerate(rows))[start:]:
        assert joints_of(row) == pytest.approx(web_models.JOINT_POSITIONS + offset(number), abs=3), number
    drawn = cv2.VideoCapture(str(out / "walk.mp4"))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES
    assert drawn.get(cv2.CAP_PROP_FPS) == FPS
    assert (drawn.get(cv2.CAP_PROP_FRAME_WIDTH), drawn.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (WIDTH, HEIGHT)
    assert "frames/s" in capsys.readouterr().out


def test_drawings_are_at_the_persons_position(dots, tmp_path):
    """The frames of the output are those of the input, each with its own pose drawn."""
    path, out = write_video(tmp_path / "walk.mp4"), tmp_path / "out"
    assert run(path, "--model", dots, "--out", out, "--box", *to_bbox(web_models.JOINT_POSITIONS + offset(0))) == 0
    drawn = cv2.VideoCapture(str(out / "walk.mp4"))
    for number in range(FRAMES):
        changed = np.abs(drawn.read()[1].astype(int) - web_models.GREY).max(axis=2) > 60
        columns = np.nonzero(changed.any(axis=0))[0]
        low, high = web_models.JOINT_POSITIONS[:, 0].min(), web_models.JOINT_POSITIONS[:, 0].max()
        centre = (low + high) / 2 + offset(number)[0]
        assert (columns.min() + columns.max()) / 2 == pytest.approx(centre, abs=12), number


def test_without_tracking_every_frame_has_the_same_region(dots, tmp_path):
    path, out = write_video(tmp_path / "walk.mp4"), tmp_path / "out"
    options = ("--no-tracking", "--no-smoothing", "--no-drawings")
    assert run(path, "--model", dots, "--out", out, "--box", "100", "100", "200", "200", *options) == 0
    assert {(row["region_x"], row["region_y"], row["region_side"]) for row in read_rows(out)} == {
        ("150.000", "150.000", "150.000")
    }
    assert [path.name for path in out.iterdir()] == ["predictions.csv"]


def test_a_model_without_confidence_does_not_track_and_reports_it(coordinates, tmp_path, capsys):
    path, out = write_video(tmp_path / "walk.mp4"), tmp_path / "out"
    assert run(path, "--model", coordinates, "--out", out, "--box", "100", "100", "200", "200") == 0
    assert "this model has no confidence output, so people are not tracked" in capsys.readouterr().out
    for row in read_rows(out):
        assert joints_of(row) == pytest.approx(np.full((11, 2), 150), abs=0.01)
        assert row["nose_confidence"] == ""


def test_unreadable_inputs_are_reported_and_skipped_with_exit_status_1(dots, tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    write_image(folder / "good.png")
    (folder / "text.jpg").write_text("no image")
    (folder / "empty.mp4").touch()
    assert run(folder, tmp_path / "gone.jpg", "--model", dots, "--out", out) == 1
    error = capsys.readouterr().err
    for name in ("text.jpg", "empty.mp4", "gone.jpg"):
        assert sum(line.startswith("skipped: ") and name in line for line in error.splitlines()) == 1
    assert error.splitlines()[-1] == "error: 3 input(s) could not be predicted completely; they are listed above"
    assert [row["id"] for row in read_rows(out)] == ["in/good.png"]
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*")) == [
        "in/good.png",
        "predictions.csv",
    ]


def test_a_truncated_video_is_predicted_to_its_end(dots, tmp_path, capsys):
    whole = cv2.VideoWriter(str(tmp_path / "cut.avi"), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT))
    for _ in range(FRAMES):
        whole.write(np.full((HEIGHT, WIDTH, 3), web_models.GREY, np.uint8))
    whole.release()
    content = (tmp_path / "cut.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(content[: len(content) // 2])
    out = tmp_path / "out"
    assert run(tmp_path / "cut.avi", "--model", dots, "--out", out, "--no-tracking") == 1
    assert "cut.avi: is truncated" in capsys.readouterr().err
    assert 0 < len(read_rows(out)) < FRAMES
    assert cv2.VideoCapture(str(out / "cut.avi.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == len(read_rows(out))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--box", "5", "5", "1", "1"], r"error: the box (5, 5, 1, 1) is empty; x0 must be less than x1"),
        (["--boxes", "no.csv"], r"error: no.csv: no such file; a CSV of boxes requires the columns image, box_x0"),
        (["--model", "no.tflite"], r"error: no.tflite: no such TFLite file; `dvc repro convert` writes"),
        (["--out", "a.file"], r"error: a.file: is not a directory; choose another --out"),
        (["--out", "."], r"one.png: its drawing would overwrite it; choose another folder for --out"),
    ],
)
def test_errors_of_the_whole_command_are_reported_before_anything_is_written(
    dots, tmp_path, monkeypatch, capsys, options, message
):
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "one.png")
    (tmp_path / "a.file").touch()
    before = sorted(tmp_path.rglob("*"))
    assert run("one.png", "--model", dots, "--out", "out", *options) == 1
    error = capsys.readouterr().err
    assert message in error
    assert sum(line.startswith("error: ") for line in error.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_written_if_no_input_could_be_predicted(dots, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("no image")
    assert run(tmp_path / "text.jpg", "--model", dots, "--out", tmp_path / "out") == 1
    assert "error: no input could be predicted; the reasons are listed above" in capsys.readouterr().err
    assert list(tmp_path.rglob("*.csv")) == []


def test_a_row_without_a_box_has_empty_joints(dots, tmp_path):
    write_image(tmp_path / "one.png")
    (tmp_path / "boxes.csv").write_text("image,box_x0,box_y0,box_x1,box_y1\none.png,,,,\n")
    out, boxes = tmp_path / "out", tmp_path / "boxes.csv"
    assert run(tmp_path / "one.png", "--model", dots, "--out", out, "--boxes", boxes) == 0
    (row,) = read_rows(out)
    assert {row[f"{joint}_x"] for joint in JOINTS} == {""}
    assert row["id"] == "one.png"


def test_one_failing_input_loses_only_itself(dots, tmp_path, monkeypatch, capsys):
    """Whatever an image or video causes, for example a lack of memory, the others are predicted."""
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in ("a.png", "b.png", "c.png"):
        write_image(folder / name)
    write_video(folder / "d.mp4")
    write_video(folder / "e.mp4")
    load, frames = images.load, Video.frames

    def load_or_fail(path):
        if path.name == "b.png":
            raise MemoryError
        return load(path)

    def frames_or_fail(video):
        for frame in frames(video):
            if video.path.name == "d.mp4" and frame.number == 30:
                raise RuntimeError("something unexpected")
            yield frame

    monkeypatch.setattr(images, "load", load_or_fail)
    monkeypatch.setattr(Video, "frames", frames_or_fail)
    assert run(folder, "--model", dots, "--out", out) == 1
    error = capsys.readouterr().err.splitlines()
    assert f"skipped: {folder}/b.png: MemoryError: MemoryError" in error
    (line,) = [line for line in error if "d.mp4" in line]
    assert line.startswith(f"warning: {folder}/d.mp4: RuntimeError: something unexpected; only ")
    rows = [row["image"] for row in read_rows(out)]
    assert {name: rows.count(name) for name in ("a.png", "c.png", "e.mp4")} == {
        "a.png": 1,
        "c.png": 1,
        "e.mp4": FRAMES,
    }
    assert 0 < rows.count("d.mp4") < FRAMES
    assert not (out / "d.mp4").exists()


def test_names_that_are_not_utf_8_are_escaped_and_predicted(dots, tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    write_image(folder / "a.png")
    name = os.fsdecode(b"ni\xf1o.png")
    shutil.copy(folder / "a.png", folder / name)
    shutil.copy(folder / "a.png", folder / ("b" * 250 + ".png"))
    (folder / os.fsdecode(b"text\xf1.png")).write_text("no image")
    assert run(folder, "--model", dots, "--out", out, "--no-search") == 1
    assert [row["id"] for row in read_rows(out)] == ["a.png", "b" * 250 + ".png", r"ni\xf1o.png"]
    assert (out / r"ni\xf1o.png").is_file()
    assert len(list(out.glob("bbb*.png"))) == 1
    assert rf"skipped: {folder}/text\xf1.png: not a readable image" in capsys.readouterr().err
    escaped = tmp_path / "boxes.csv"
    escaped.write_text("image,box_x0,box_y0,box_x1,box_y1\n" + r"ni\xf1o.png,20,20,200,200" + "\n")
    assert run(folder / name, "--model", dots, "--out", out, "--boxes", escaped) == 0


def test_truncated_and_animated_images_are_predicted_with_a_message(dots, tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    jpeg = write_image(folder / "cut.jpg")
    jpeg.write_bytes(jpeg.read_bytes()[:-2])
    frame = Image.fromarray(render_frame(0)[..., ::-1])
    frame.save(folder / "wave.gif", save_all=True, append_images=[Image.fromarray(render_frame(9)[..., ::-1])])
    assert run(folder, "--model", dots, "--out", out, "--no-search") == 0
    assert [row["id"] for row in read_rows(out)] == ["cut.jpg", "wave.gif"]
    printed = capsys.readouterr()
    assert f"warning: {jpeg}: is truncated; {HEIGHT} of {HEIGHT} rows could be decoded" in printed.err
    assert "wave.gif: has 2 frames or pages; the first is predicted" in printed.out
    bitmap = folder / "cut.bmp"
    cv2.imwrite(str(bitmap), np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))
    bitmap.write_bytes(bitmap.read_bytes()[: -20 * WIDTH * 3])
    assert run(bitmap, "--model", dots, "--out", out, "--no-search") == 1  # not all of it is there
    assert f"is truncated; {HEIGHT - 20} of {HEIGHT} rows could be decoded" in capsys.readouterr().err


def test_the_drawn_video_keeps_variable_frame_times(dots, tmp_path):
    times = [0, 0.05, 0.3, 0.32, 1.0]
    with video_writer(tmp_path / "a.mp4", FPS, (WIDTH, HEIGHT)) as writer:
        for number, time in enumerate(times):
            writer.write(render_frame(number), time)
    out = tmp_path / "out"
    assert run(tmp_path / "a.mp4", "--model", dots, "--out", out) == 0
    assert [float(row["seconds"]) for row in read_rows(out)] == pytest.approx(times, abs=1e-3)
    assert [frame.seconds for frame in Video(out / "a.mp4").frames()] == pytest.approx(times, abs=1e-3)


def test_an_interrupted_command_leaves_no_partial_files(dots, tmp_path):
    path = write_video(tmp_path / "walk.mp4")
    for number in range(30):  # long enough to be interrupted
        (tmp_path / f"{number}.mp4").write_bytes(path.read_bytes())
    out = tmp_path / "out"
    arguments = ["predict", str(tmp_path), "--model", str(dots), "--out", str(out)]
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        preexec_fn=restore_sigint,
    )
    wait_for(lambda: len(list(out.glob("[0-9]*.mp4"))) >= 1, "the first video was not written")
    process.send_signal(signal.SIGINT)
    error = process.communicate()[1]
    assert process.returncode == 130
    assert error.splitlines()[-1] == "interrupted"
    assert "Traceback" not in error
    written = sorted(out.iterdir())
    written.remove(out / "predictions.csv")
    assert written
    assert all(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES for path in written)
    assert len(read_rows(out)) >= FRAMES * len(written)  # the rows so far are kept


def test_tensorflow_keras_and_pandas_are_not_imported(dots, tmp_path):
    code = (
        "import sys; from splitpose.cli import main; status = main(sys.argv[1:]);"
        "loaded = {'tensorflow', 'keras', 'pandas', 'mlflow'} & set(sys.modules); sys.exit(status or len(loaded))"
    )
    image = write_image(tmp_path / "one.png")
    arguments = ["predict", str(image), "--model", str(dots), "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    assert (tmp_path / "out" / "one.png").is_file()
