import json
import subprocess
import sys

import pytest
from support.synthetic_report import comparison

from splitpose.cli import main


@pytest.mark.integration
def test_score_writes_json_and_imports_no_tensorflow(shared, tmp_path):
    truth = shared / "flic" / "annotations_train.csv"
    code = (
        "import sys; from splitpose.cli import main; status = main(sys.argv[1:]);"
        "assert not {'tensorflow', 'keras', 'great_expectations', 'mlflow'} & set(sys.modules); sys.exit(status)"
    )
    words = ["score", "--annotations", truth, "--predictions", truth, "--json", tmp_path / "s.json"]
    subprocess.run([sys.executable, "-c", code, *words], check=True)
    result = json.loads((tmp_path / "s.json").read_text())
    assert result["n"] == 3987
    assert result["pck"]["0.05"]["mean"] == 100.0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare", "--comparison", "nowhere.json"], "error: nowhere.json: no such file; `make repro` writes it"),
        (["predict", "x.jpg", "--model", "m.tflite", "--out", "o"], "error: m.tflite: no such TFLite file"),
        (["benchmark", "m.tflite"], "error: m.tflite: no such TFLite file"),
        (["check", "nowhere.json"], "error: nowhere.json: no such file or folder"),
        (["score", "--annotations", "a.csv", "--predictions", "p.csv"], "error: a.csv: no such"),
    ],
)
def test_errors_are_one_line_and_status_1(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1


def test_check_of_real_coco_annotations_passes(shared, capsys):
    assert main(["check", str(shared / "coco_mini" / "person_keypoints.json")]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    lines = shown.out.splitlines()
    assert "COCO keypoints: 346 person instances in 134 images below" in shown.out
    assert "2 annotations skipped: no annotated joints" in lines
    words = {tuple(line.split()[:3]) for line in lines}
    assert {
        ("unreadable_image", "passed", "0"),
        ("torso_missing", "warning", "135"),
        ("pair_swapped", "passed", "0"),
    } <= words
    assert lines[-1] == "passed: 346 rows are valid, 0 are quarantined"


def test_check_lists_quarantined_rows_and_fails_where_there_are_too_many(shared, capsys, tmp_path):
    source = shared / "coco_mini"
    content = json.loads((source / "person_keypoints.json").read_text())
    content["images"][0]["width"] += 1
    here = tmp_path / "people.json"
    here.write_text(json.dumps(content))
    images = str(source / "images")
    assert main(["check", str(here), "--images", images]) == 0
    shown = capsys.readouterr().out
    rows = sum(entry["image_id"] == content["images"][0]["id"] for entry in content["annotations"])
    assert ("image_size", "quarantined", str(rows)) in {tuple(line.split()[:3]) for line in shown.splitlines()}
    assert "width and height differ from those of the image" in shown
    assert "641x426, 640x426" in shown
    assert shown.splitlines()[-1] == f"passed: {346 - rows} rows are valid, {rows} are quarantined"

    assert main(["check", str(here)]) == 1
    shown = capsys.readouterr()
    assert ("unreadable_image", "quarantined", "346") in {
        tuple(line.split()[:3]) for line in shown.out.splitlines()
    }
    assert ("quarantined_fraction", "failed") in {tuple(line.split()[:2]) for line in shown.out.splitlines()}
    assert "No such file or directory" in shown.out
    assert shown.err.startswith(
        f"error: {here}: validation failed: quarantined_fraction: 100 % of the rows are in quarantine"
    )
    assert shown.err.count("\n") == 1


def test_check_of_a_table_without_the_required_columns(shared, capsys):
    path = str(shared / "flic" / "annotations_train.csv")
    assert main(["check", path]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}: validation failed: columns: ")
    assert error.count("\n") == 1


def test_compare_prints_the_tables_and_where_the_report_is(tmp_path, capsys):
    path = tmp_path / "comparison.json"
    path.write_text(json.dumps(comparison()))
    assert main(["compare", "--comparison", str(path)]) == 0
    out = capsys.readouterr().out
    assert "baseline" in out and "TFLite" in out
    assert out.endswith("Full report: reports/index.html   Runs and curves: make ui\n")
