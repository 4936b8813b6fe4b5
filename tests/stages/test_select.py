import json
import re
import subprocess
import sys

import pytest
from support import yaml
from support.synthetic_report import history

from splitpose.errors import InputError
from splitpose.evaluation import training_history
from splitpose.stages.select import SelectionOutputs, select


@pytest.fixture
def folder(repository, tmp_path):
    """Return a folder with a profile, params.yaml and three trained repeats, of which the second is best."""
    profile = yaml.safe_load((repository / "profiles" / "sample.yaml").read_text())
    profile["training"] |= {"repeats": 3, "seed": 7}
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(profile))
    set_repeats(tmp_path, [1, 2, 3])
    for repeat, pck in ((1, 70.0), (2, 80.0), (3, 75.0)):
        write_repeat(tmp_path, repeat, pck)
    return tmp_path


def set_repeats(folder, repeats):
    (folder / "params.yaml").write_text(f"profile: profile\nrepeats: {repeats}\nvariants: {{final: {{}}}}\n")


def write_repeat(folder, repeat, pck):
    path = folder / "repeats" / str(repeat)
    path.mkdir(parents=True)
    for name in ("frozen.weights.h5", "frozen.csv", "frozen.checkpoint"):
        (path / name).write_text(f"{name} of {repeat}")
    (path / "final.weights.h5").write_text(f"weights of {repeat}")
    rows = history().assign(**{"val_pck_0.2": [99.0, 10.0, pck, pck - 1]})
    training_history.write(rows, path / "history.csv")


def run(folder):
    outputs = SelectionOutputs(folder / "out.weights.h5", folder / "out.csv", folder / "out.json")
    select(folder / "profile.yaml", folder / "params.yaml", "final", folder / "repeats", outputs)
    return json.loads((folder / "out.json").read_text())


def test_the_best_repeats_files_and_the_results_of_all_repeats_are_written(folder):
    assert run(folder) == {
        "selected": 2,
        "repeats": {
            "1": {"seed": 7, "val_pck_0.2": 70.0, "val_loss": 0.05, "iteration": 30},
            "2": {"seed": 1_000_007, "val_pck_0.2": 80.0, "val_loss": 0.05, "iteration": 30},
            "3": {"seed": 2_000_007, "val_pck_0.2": 75.0, "val_loss": 0.05, "iteration": 30},
        },
    }
    assert (folder / "out.weights.h5").read_text() == "weights of 2"
    assert (folder / "out.csv").read_bytes() == (folder / "repeats" / "2" / "history.csv").read_bytes()


def test_a_repeat_that_is_no_longer_listed_is_not_selected_and_its_results_are_removed(folder):
    set_repeats(folder, [1, 3, 4])
    write_repeat(folder, 4, 60.0)
    assert run(folder)["selected"] == 3
    remaining = {path.parent.name for path in (folder / "repeats").glob("*/*")} - {"2"}
    assert remaining == {"1", "3", "4"}
    # An interrupted training could still continue.
    assert [path.name for path in (folder / "repeats" / "2").iterdir()] == ["frozen.checkpoint"]


@pytest.mark.parametrize("name", ["final.weights.h5", "history.csv"])
def test_a_missing_repeat_is_an_error_and_nothing_is_written_or_removed(folder, name):
    (folder / "repeats" / "3" / name).unlink()
    write_repeat(folder, 4, 60.0)
    before = sorted(folder.rglob("*"))
    message = f"repeats/3/{name}: no such file; `dvc repro fine_tune@final-3` writes it"
    with pytest.raises(InputError, match=f"{re.escape(message)}$"):
        run(folder)
    assert sorted(folder.rglob("*")) == before


def test_another_number_of_repeats_than_the_profiles_is_an_error(folder):
    set_repeats(folder, [1])
    with pytest.raises(InputError, match=r"repeats: \[1\] differs from training.repeats of "):
        run(folder)


def test_the_stage_does_not_import_tensorflow():
    code = "import splitpose.stages.select, sys; print({'keras', 'tensorflow'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
