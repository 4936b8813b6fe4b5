import json
import subprocess
import sys

import pytest

from splitpose.cli import main


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
        (["score", "--annotations", "a.csv", "--predictions", "p.csv"], "error: a.csv: no such"),
    ],
)
def test_errors_are_one_line_and_status_1(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1
