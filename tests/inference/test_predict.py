"""The whole command on pictures and videos whose joints are known, with a model that answers to coloured dots."""

import csv
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import web_models as made
from support.processes import wait_for

from splitpose.cli import main
from splitpose.codecs import Coordinates, Heatmaps
from splitpose.evaluation import predictions
from splitpose.skeleton import JOINTS

COMMAND = [sys.executable, "-c", "import sys; from splitpose.cli import main; sys.exit(main(sys.argv[1:]))"]
FRAMES, RATE = 40, 20.0
WIDTH, HEIGHT = 480, 360


@pytest.fixture(scope="module")
def dots(tmp_path_factory) -> Path:
    """A model that finds the dots of `made.picture`, and is sure of those that it sees."""
    folder = tmp_path_factory.mktemp("models")
    made.write(folder, "dots", "float32", made.dots(half=False), Heatmaps(made.SIZE, 3.0, "dark"))
    return folder / "dots" / "float32.tflite"


@pytest.fixture(scope="module")
def coordinates(tmp_path_factory) -> Path:
    """A model that gives coordinates: the middle of the square for every joint."""
    import tensorflow as tf

    def function(crop):
        return tf.zeros((1, 11, 2)) * tf.reduce_mean(crop)

    folder = tmp_path_factory.mktemp("models")
    made.write(folder, "middle", "float32", made.converted(function, (1, 64, 64, 3)), Coordinates(64))
    return folder / "middle" / "float32.tflite"


def offset(frame: int) -> np.ndarray:
    """Where the corner of `made.picture` lies in a frame of `film`, px."""
    return np.array([20 + 5 * frame, 100 - 2 * frame])


def frame(number: int) -> np.ndarray:
    """The dots on grey."""
    out, dots = np.full((HEIGHT, WIDTH, 3), made.GREY, np.uint8), made.picture()
    x, y = offset(number)
    out[y : y + dots.shape[0], x : x + dots.shape[1]] = dots
    return out


def film(path: Path) -> Path:
    """A video in which the dots move evenly."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (WIDTH, HEIGHT))
    for number in range(FRAMES):
        writer.write(frame(number))
    writer.release()
    return path


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), frame(0))
    return path


def box(places: np.ndarray) -> list[str]:
    return [str(edge) for edge in (*places.min(axis=0), *places.max(axis=0))]


def run(*words: object) -> int:
    return main(["predict", *map(str, words)])


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "predictions.csv").open() as file:
        return list(csv.DictReader(file))


def joints_of(row: dict[str, str]) -> np.ndarray:
    return np.array([[float(row[f"{joint}_{axis}"]) for axis in "xy"] for joint in JOINTS])


def confidences(row: dict[str, str]) -> np.ndarray:
    return np.array([float(row[f"{joint}_confidence"]) for joint in JOINTS])


def test_pictures_and_folders_become_one_table_and_drawings_under_their_names(dots, tmp_path, capsys):
    one = picture(tmp_path / "in" / "one.png")
    picture(tmp_path / "in" / "sub" / "two.bmp")
    out = tmp_path / "out"
    assert run(tmp_path / "in", "--model", dots, "--out", out, "--box", *box(made.PLACES + offset(0))) == 0
    found = rows(out)
    assert [row["id"] for row in found] == ["one.png", "sub/two.bmp"]
    for row in found:
        assert joints_of(row) == pytest.approx(made.PLACES + offset(0), abs=2.5)
        assert (confidences(row) > 0.9).all()
        assert row["frame"] == row["seconds"] == ""
    drawn, before = cv2.imread(str(out / "one.png")), cv2.imread(str(one))
    assert drawn.shape == before.shape
    assert (drawn != before).any()
    assert (out / "sub" / "two.bmp").is_file()
    printed = capsys.readouterr()
    assert "2 rows" in printed.out
    assert "left joints are those towards the picture's right, whichever way a person faces" in printed.out
    ids, joints = predictions.read(out / "predictions.csv")  # as `splitpose score` reads it
    assert ids == ["one.png", "sub/two.bmp"]
    assert joints[0] == pytest.approx(joints_of(found[0]))


def test_without_a_box_a_person_is_searched(dots, tmp_path):
    one, out = picture(tmp_path / "one.png"), tmp_path / "out"
    assert run(one, "--model", dots, "--out", out) == 0
    (row,) = rows(out)
    assert joints_of(row) == pytest.approx(made.PLACES + offset(0), abs=2.5)
    assert float(row["square_side"]) < HEIGHT


def test_without_searching_the_whole_picture_is_looked_at(dots, tmp_path):
    one, out = picture(tmp_path / "one.png"), tmp_path / "out"
    assert run(one, "--model", dots, "--out", out, "--no-search") == 0
    (row,) = rows(out)
    assert [float(row[f"square_{part}"]) for part in ("x", "y", "side")] == [239.5, 179.5, WIDTH]


def test_by_a_model_without_confidence_nobody_is_searched_and_it_is_told_once(coordinates, tmp_path, capsys):
    for name in ("one.png", "two.png"):
        picture(tmp_path / "in" / name)
    assert run(tmp_path / "in", "--model", coordinates, "--out", tmp_path / "out") == 0
    assert capsys.readouterr().out.count("this model gives no confidence, so that nobody is searched by it") == 1
    assert [row["square_side"] for row in rows(tmp_path / "out")] == ["480.000"] * 2


@pytest.mark.parametrize("given", ["box", "boxes", "none"])
def test_the_person_in_a_video_is_followed(dots, tmp_path, given, capsys):
    path, out = film(tmp_path / "walk.mp4"), tmp_path / "out"
    first = box(made.PLACES + offset(0))
    (tmp_path / "boxes.csv").write_text(f"image,id,box_x0,box_y0,box_x1,box_y1\nwalk.mp4,me,{','.join(first)}\n")
    words = {"box": ["--box", *first], "boxes": ["--boxes", tmp_path / "boxes.csv"], "none": []}[given]
    assert run(path, "--model", dots, "--out", out, *words) == 0
    found = rows(out)
    name = "me" if given == "boxes" else "walk.mp4"
    assert [row["id"] for row in found] == [f"{name}#{number:06d}" for number in range(FRAMES)]
    assert [float(row["seconds"]) for row in found] == pytest.approx(np.arange(FRAMES) / RATE, abs=2e-3)
    begin = 0 if given != "none" else 10  # a first find may be wrong; the second search is 1/3 s later
    for number, row in list(enumerate(found))[begin:]:
        assert joints_of(row) == pytest.approx(made.PLACES + offset(number), abs=3), number
    drawn = cv2.VideoCapture(str(out / "walk.mp4"))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES
    assert drawn.get(cv2.CAP_PROP_FPS) == RATE
    assert (drawn.get(cv2.CAP_PROP_FRAME_WIDTH), drawn.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (WIDTH, HEIGHT)
    assert "frames/s" in capsys.readouterr().out


def test_drawings_follow_the_person(dots, tmp_path):
    """The frames of the output are those of the input, each with its own person drawn."""
    path, out = film(tmp_path / "walk.mp4"), tmp_path / "out"
    assert run(path, "--model", dots, "--out", out, "--box", *box(made.PLACES + offset(0))) == 0
    drawn = cv2.VideoCapture(str(out / "walk.mp4"))
    for number in range(FRAMES):
        changed = np.abs(drawn.read()[1].astype(int) - made.GREY).max(axis=2) > 60
        across = np.nonzero(changed.any(axis=0))[0]
        low, high = made.PLACES[:, 0].min(), made.PLACES[:, 0].max()
        middle = (low + high) / 2 + offset(number)[0]
        assert (across.min() + across.max()) / 2 == pytest.approx(middle, abs=12), number


def test_without_following_every_frame_is_looked_at_in_the_same_square(dots, tmp_path):
    path, out = film(tmp_path / "walk.mp4"), tmp_path / "out"
    words = ("--no-tracking", "--no-smoothing", "--no-drawings")
    assert run(path, "--model", dots, "--out", out, "--box", "100", "100", "200", "200", *words) == 0
    assert {(row["square_x"], row["square_y"], row["square_side"]) for row in rows(out)} == {
        ("150.000", "150.000", "150.000")
    }
    assert [path.name for path in out.iterdir()] == ["predictions.csv"]


def test_a_model_without_confidence_follows_nobody_and_says_so(coordinates, tmp_path, capsys):
    path, out = film(tmp_path / "walk.mp4"), tmp_path / "out"
    assert run(path, "--model", coordinates, "--out", out, "--box", "100", "100", "200", "200") == 0
    assert "this model gives no confidence, so that nobody is followed by it" in capsys.readouterr().out
    for row in rows(out):
        assert joints_of(row) == pytest.approx(np.full((11, 2), 150), abs=0.01)
        assert row["nose_confidence"] == ""


def test_what_cannot_be_read_is_named_and_skipped_and_the_status_says_so(dots, tmp_path, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    picture(folder / "good.png")
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.mp4").touch()
    assert run(folder, tmp_path / "gone.jpg", "--model", dots, "--out", out) == 1
    error = capsys.readouterr().err
    for name in ("text.jpg", "empty.mp4", "gone.jpg"):
        assert sum(line.startswith("skipped: ") and name in line for line in error.splitlines()) == 1
    assert error.splitlines()[-1] == "error: 3 input(s) could not be used, or not as a whole; they are named above"
    assert [row["id"] for row in rows(out)] == ["in/good.png"]
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*")) == [
        "in/good.png",
        "predictions.csv",
    ]


def test_a_video_that_is_cut_short_is_predicted_as_far_as_it_goes(dots, tmp_path, capsys):
    whole = cv2.VideoWriter(str(tmp_path / "cut.avi"), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (WIDTH, HEIGHT))
    for _ in range(FRAMES):
        whole.write(np.full((HEIGHT, WIDTH, 3), made.GREY, np.uint8))
    whole.release()
    content = (tmp_path / "cut.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(content[: len(content) // 2])
    out = tmp_path / "out"
    assert run(tmp_path / "cut.avi", "--model", dots, "--out", out, "--no-tracking") == 1
    assert "cut.avi: is cut short" in capsys.readouterr().err
    assert 0 < len(rows(out)) < FRAMES
    assert cv2.VideoCapture(str(out / "cut.avi.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == len(rows(out))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--box", "5", "5", "1", "1"], r"error: the box (5, 5, 1, 1) is empty; x0 must be less than x1"),
        (["--boxes", "no.csv"], r"error: no.csv: no such file; a CSV of boxes needs the columns image, box_x0"),
        (["--model", "no.tflite"], r"error: no.tflite: no such TFLite file; `dvc repro convert` makes"),
        (["--out", "a.file"], r"error: a.file: is no folder; choose another --out"),
        (["--out", "."], r"one.png: its drawing would take its place; choose another folder for --out"),
    ],
)
def test_what_is_wrong_with_the_request_is_told_before_anything_is_written(
    dots, tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "one.png")
    (tmp_path / "a.file").touch()
    before = sorted(tmp_path.rglob("*"))
    assert run("one.png", "--model", dots, "--out", "out", *words) == 1
    error = capsys.readouterr().err
    assert message in error
    assert sum(line.startswith("error: ") for line in error.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_written_where_nothing_could_be_predicted(dots, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("no picture")
    assert run(tmp_path / "text.jpg", "--model", dots, "--out", tmp_path / "out") == 1
    assert "error: nothing could be predicted; the inputs are named above" in capsys.readouterr().err
    assert list(tmp_path.rglob("*.csv")) == []


def test_a_detector_that_found_nobody_gives_empty_joints(dots, tmp_path):
    picture(tmp_path / "one.png")
    (tmp_path / "boxes.csv").write_text("image,box_x0,box_y0,box_x1,box_y1\none.png,,,,\n")
    assert (
        run(tmp_path / "one.png", "--model", dots, "--out", tmp_path / "out", "--boxes", tmp_path / "boxes.csv")
        == 0
    )
    (row,) = rows(tmp_path / "out")
    assert {row[f"{joint}_x"] for joint in JOINTS} == {""}
    assert row["id"] == "one.png"


def test_interrupted_it_leaves_nothing_half_written(dots, tmp_path):
    path = film(tmp_path / "walk.mp4")
    for number in range(30):  # long enough to be interrupted
        (tmp_path / f"{number}.mp4").write_bytes(path.read_bytes())
    out = tmp_path / "out"
    words = ["predict", str(tmp_path), "--model", str(dots), "--out", str(out)]
    process = subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    wait_for(lambda: len(list(out.glob("[0-9]*.mp4"))) >= 1, "the first video was not written")
    process.send_signal(signal.SIGINT)
    error = process.communicate()[1]
    assert process.returncode == 130
    assert error.splitlines()[-1] == "interrupted"
    assert "Traceback" not in error
    written = sorted(out.iterdir())
    assert written
    assert all(cv2.VideoCapture(str(each)).get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES for each in written)


def test_it_needs_no_tensorflow_keras_or_pandas(dots, tmp_path):
    code = (
        "import sys; from splitpose.cli import main; status = main(sys.argv[1:]);"
        "loaded = {'tensorflow', 'keras', 'pandas', 'mlflow'} & set(sys.modules); sys.exit(status or len(loaded))"
    )
    words = ["predict", str(picture(tmp_path / "one.png")), "--model", str(dots), "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    assert (tmp_path / "out" / "one.png").is_file()
