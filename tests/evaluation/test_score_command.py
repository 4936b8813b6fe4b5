import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from splitpose.cli import main
from splitpose.evaluation import predictions
from splitpose.evaluation.joints_csv import read
from splitpose.evaluation.pck import torso_diameter
from splitpose.skeleton import INDEX, JOINTS

TEST_PEOPLE = 1016
"""As many as FLIC's test rows."""


@pytest.fixture(scope="module")
def files(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Annotations of real people, and predictions that are 0.15 torso diameters off for every second of them."""
    people = read(shared / "flic" / "annotations_train.csv")
    ids, truth = people.ids[:TEST_PEOPLE], people.joints[:TEST_PEOPLE]
    moved = truth.copy()
    moved[::2, :, 0] += 0.15 * torso_diameter(truth[::2])[:, None]
    folder = tmp_path_factory.mktemp("score")
    predictions.write(ids, truth, folder / "annotations.csv")
    predictions.write(ids, moved, folder / "predictions.csv")
    return str(folder / "annotations.csv"), str(folder / "predictions.csv")


def words(files: tuple[str, str], *more: str) -> list[str]:
    return ["score", "--annotations", files[0], "--predictions", files[1], *more]


def test_json(files: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "s.json"
    assert main(words(files, "--json", str(out))) == 0
    result = json.loads(out.read_text())
    assert (result["n"], result["torso"], result["viewpoint"]) == (TEST_PEOPLE, "lsho-rhip", "as-is")
    groups = {"mean", "elbow", "wrist", *JOINTS}
    assert {at: set(scores) for at, scores in result["pck"].items()} == dict.fromkeys(
        ("0.05", "0.1", "0.2"), groups
    )
    assert {at: set(scores) for at, scores in result["ci95"].items()} == dict.fromkeys(
        ("0.05", "0.1", "0.2"), groups
    )
    assert set(result["auc"]["0.2"]) == groups | {"ci95"}
    assert {at: scores["wrist"] for at, scores in result["pck"].items()} == {"0.05": 50, "0.1": 50, "0.2": 100}
    assert result["auc"]["0.2"]["mean"] == pytest.approx(62.5, abs=0.01)  # half of them add all, half a quarter
    # +/- 1.96 * sqrt(0.25 / 1016) = +/- 3.07
    assert result["ci95"]["0.1"]["mean"] == [pytest.approx(46.93, abs=0.3), pytest.approx(53.07, abs=0.3)]


def test_table(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(files, "--thresholds", "0.1", "0.3", "--torso", "rsho-lhip", "--viewpoint", "observer")) == 0
    shown = capsys.readouterr().out
    lines = {line.split("  ")[0]: line for line in shown.splitlines()}
    assert lines["1016 people"].split() == ["1016", "people", "PCK@0.1", "PCK@0.3", "AUC@0.3"]
    assert {"mean of the joints", "elbows", "wrists", "left shoulder", "right hip", "nose"} <= set(lines)
    assert "100.0 (100.0–100.0)" in lines["left wrist"]
    assert "Torso diameter: right shoulder to left hip of the annotations (rsho-lhip)." in shown
    assert "Viewpoint: left and right as the observer sees them (observer)." in shown
    assert shown.startswith("annotations: CSV, 1,016 people; predictions: CSV, 1,016 people\n")
    assert "Scores: 1 for all predictions, because the file has none" in shown
    assert "Areas of people: the square of the longer side of the joints' extent (1016)." in shown
    assert "Not scored" not in shown


def test_table_names_what_is_not_scored(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = read(Path(files[0])).joints[:20]
    truth[:, INDEX["leye"]] = np.nan
    truth[0, INDEX["lsho"]] = np.nan
    ids = [f"{n}" for n in range(20)]
    predictions.write(ids, truth, tmp_path / "a.csv")
    assert main(words((str(tmp_path / "a.csv"), str(tmp_path / "a.csv")))) == 0
    shown = capsys.readouterr().out
    assert "Not scored because not in both files: left eye." in shown
    assert "Not scored because their torso is not annotated: 1 of 20 people." in shown
    assert not any(line.startswith("left eye") for line in shown.splitlines())


def test_table_shows_formats_matching_and_oks(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = shared / "coco_mini" / "person_keypoints.json"
    people = json.loads(truth.read_text())["annotations"]
    results = [
        {key: person[key] for key in ("image_id", "category_id", "keypoints")} | {"score": 1 / n}
        for n, person in enumerate(people[:300], start=1)
    ]
    (tmp_path / "p.json").write_text(json.dumps(results))
    assert main(words((str(truth), str(tmp_path / "p.json")))) == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert lines[0] == "annotations: COCO keypoints, 348 people; predictions: COCO results, 300 people"
    oks = next(n for n, line in enumerate(lines) if line.startswith("OKS "))
    assert lines[oks].split() == ["OKS", "AP", "AP50", "AP75", "AR"]
    # 299 of 346 people are found, at 87 of 101 recalls; two of all have none of the joints.
    assert lines[oks + 1].split() == ["346", "people,", "11", "joints", "86.1", "86.1", "86.1", "86.4"]
    assert "unmatched are 47 annotated people, all of whose joints count as missed, and 0 predictions." in shown
    assert "Scores: the score of each prediction. Areas of people: as annotated (346)." in shown
    assert "Ignored in OKS because crowd, or without joints or an area: 2 people." in shown


def test_percent_as_thresholds(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(files, "--thresholds", "20")) == 1
    assert capsys.readouterr().err == (
        "error: threshold 20: is more than a torso diameter; use torso diameters instead of percent: 0.2\n"
    )


def test_help_describes_missing_predictions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "An annotated joint without a predicted position counts as not found" in shown
    assert "with 95 % intervals" in shown


def test_errors_are_one_line_and_nothing_is_written(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, out = tmp_path / "p.csv", tmp_path / "s.json"
    wrong.write_text("id,nose_x,nose_y\na,1,x\n")
    assert main(words((files[0], str(wrong)), "--json", str(out))) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == (
        f"error: {wrong}, line 2 (id 'a'): column 'nose_y' holds 'x', which is not a number of px; "
        "correct it, or clear the cell if the joint is missing\n"
    )
    assert not out.exists()


def test_it_starts_without_heavy_libraries_and_ends_within_three_seconds(files: tuple[str, str]) -> None:
    heavy = {"tensorflow", "keras", "great_expectations", "mlflow", "pandas", "cv2", "scipy"}
    code = (
        "import sys; from splitpose.cli import main; status = main(sys.argv[1:]);"
        f"print('imported:', *({heavy} & set(sys.modules))); sys.exit(status)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code, *words(files)], check=True, capture_output=True, text=True
    ).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.splitlines()[-1].split() == ["imported:"]
    # Of processor, not of the clock, which a busy machine makes long.
    assert (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime) < 3
