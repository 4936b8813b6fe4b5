"""The new people of a night are valid COCO keypoints, and the table compares the two runs of each night."""

import importlib.util
import io

import numpy as np
import pytest
from rich.console import Console

from splitpose.annotations import joints_of
from splitpose.data import incoming
from splitpose.settings import Profile, load


@pytest.fixture(scope="module")
def script(repository):
    path = repository / "benchmarks" / "warm_nights.py"
    spec = importlib.util.spec_from_file_location("warm_nights", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_new_people_are_read_from_data_incoming(script, repository, tmp_path):
    profile = load(Profile, repository / "profiles" / "sample.yaml")
    folder = tmp_path / "incoming"
    script.add_people(folder, 1, 5)
    before = (folder / "night-1" / "people.json").read_bytes()
    (result,) = incoming.read(folder, tmp_path, profile.incoming, "observer", seed=1)
    assert len(result.table) == 5
    assert result.table["group"].str.startswith("incoming/night-1-").all()
    joints = joints_of(result.table)
    assert np.isfinite(joints).mean() > 0.9
    script.add_people(folder, 1, 5)
    assert (folder / "night-1" / "people.json").read_bytes() == before


def test_the_table_shows_ratio_and_difference(script, tmp_path):
    base = {"warm": script.Run(200.0, 300.0, 90.0, True), "full": script.Run(200.0, 300.0, 90.0, True)}
    night = {"warm": script.Run(50.0, 60.0, 91.25, False), "full": script.Run(200.0, 300.0, 91.0, True)}
    script.write_rows([base, night], tmp_path / "results.json")
    rows = script.read_rows(tmp_path / "results.json")
    assert rows == [base, night]
    assert script.read_rows(tmp_path / "missing.json") == []
    text = io.StringIO()
    Console(width=130, file=text).print(script.summarise(rows))
    lines = [line.split() for line in text.getvalue().splitlines() if line.strip()]
    assert lines[-2] == ["base", "200", "200", "1.00", "300", "300", "1.00", "90.00", "90.00", "+0.00", "yes"]
    assert lines[-1] == ["1", "50", "200", "0.25", "60", "300", "0.20", "91.25", "91.00", "+0.25", "no"]
