"""Repeated training runs of a tiny project, run by DVC."""

import json
import re
from pathlib import Path

import pytest
from support.tiny_project import dvc, hashes, repro, set_repeats, workspace

MODELS = "models/baseline"


@pytest.fixture(scope="module")
def single(repository, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """Return a project that has run with one repeat, and DVC's hashes of its outputs."""
    folder = workspace(repository, tmp_path_factory.mktemp("single"), ["baseline"])
    repro(folder, "evaluate@baseline")
    return folder, hashes(folder)


@pytest.fixture(scope="module")
def repeated(single) -> tuple[Path, str]:
    """Return the same project after it has run with two repeats, and the output of that run."""
    folder, _ = single
    set_repeats(folder, [1, 2])
    return folder, repro(folder)


def stages_run(output: str) -> list[str]:
    """Return the stages that ran, without the one that always runs."""
    names = re.findall(r"^Running stage '(.*)':$", output, re.MULTILINE)
    return [name for name in names if name != "fingerprint"]


def test_a_new_repeat_is_the_only_one_that_is_trained(repeated):
    _, output = repeated
    trained = ["train_frozen@baseline-2", "fine_tune@baseline-2", "select@baseline", "evaluate@baseline"]
    assert stages_run(output)[:4] == trained
    assert set(stages_run(output)[4:]) == {"convert@baseline", "benchmark@baseline", "compare", "report"}


def test_the_first_repeat_has_the_weights_of_a_single_run(single, repeated):
    _, before = single
    folder, _ = repeated
    after = hashes(folder)
    first = [path for path in before if path.startswith(f"{MODELS}/repeats/1/")]
    assert len(first) == 4
    assert {path: after[path] for path in first} == {path: before[path] for path in first}
    for name in ("frozen.weights.h5", "final.weights.h5"):
        assert after[f"{MODELS}/repeats/1/{name}"] != after[f"{MODELS}/repeats/2/{name}"]
    # With one repeat, it is the selected one.
    assert before[f"{MODELS}/final.weights.h5"] == before[f"{MODELS}/repeats/1/final.weights.h5"]


def test_the_best_repeat_is_evaluated_and_exported(repeated):
    folder, _ = repeated
    content = json.loads((folder / "reports" / "repeats" / "baseline.json").read_text())
    results = content["repeats"]
    assert list(results) == ["1", "2"]
    assert content["selected"] == int(
        min(results, key=lambda repeat: (-results[repeat]["val_pck_0.2"], results[repeat]["val_loss"]))
    )
    selected = folder / MODELS / "repeats" / str(content["selected"])
    assert (folder / MODELS / "final.weights.h5").read_bytes() == (selected / "final.weights.h5").read_bytes()
    history = folder / "reports" / "history" / "baseline.csv"
    assert history.read_bytes() == (selected / "history.csv").read_bytes()
    predicted = folder / "reports" / "repeat_predictions" / "baseline"
    assert sorted(path.name for path in predicted.iterdir()) == ["1.csv", "2.csv"]
    predictions = folder / "reports" / "predictions" / "baseline.csv"
    assert (predicted / f"{content['selected']}.csv").read_bytes() == predictions.read_bytes()


def test_without_the_second_repeat_everything_is_as_before_it(single, repeated):
    _, before = single
    folder, _ = repeated
    set_repeats(folder, [1])
    assert not {"train_frozen@baseline-1", "fine_tune@baseline-1"} & set(
        stages_run(repro(folder, "evaluate@baseline"))
    )
    after = hashes(folder)
    for path in (f"{MODELS}/final.weights.h5", "reports/history/baseline.csv", "reports/predictions/baseline.csv"):
        assert after[path] == before[path]
    assert not list((folder / MODELS / "repeats" / "2").iterdir())


def test_another_number_of_repeats_than_the_profiles_is_reported_before_anything_runs(repository, tmp_path):
    folder = workspace(repository, tmp_path, ["baseline"])
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("- 1", "- 1\n- 2"))
    completed = dvc(folder, "repro")
    assert completed.returncode != 0
    assert "error: params.yaml: repeats: [1, 2] differs from training.repeats of " in completed.stderr
    assert not (folder / "data" / "raw").exists()
