import re

import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import JOINT_COLUMNS
from splitpose.errors import InputError
from splitpose.scoring.files import score
from splitpose.skeleton import INDEX


@pytest.fixture
def csv(tmp_path):
    def write(name, ids, joints, columns=JOINT_COLUMNS):
        rows = pd.DataFrame(joints.reshape(len(ids), -1), columns=JOINT_COLUMNS)[list(columns)]
        rows.insert(0, "id", ids)
        rows.to_csv(tmp_path / name, index=False)
        return tmp_path / name

    return write


def people():
    joints = np.zeros((2, 11, 2))
    joints[:, INDEX["lsho"]] = [100, 0]
    joints[:, INDEX["rhip"]] = [70, 40]  # torso 50
    return joints


def test_rows_are_matched_by_id(csv):
    truth, found = people(), people()
    truth[0, INDEX["nose"]] = [0, 300]
    found[0, INDEX["nose"]] = [8, 300]  # 0.16 of the torso off
    result = score(csv("a.csv", ["x", "y"], truth), csv("p.csv", ["y", "x"], found[::-1]), "lsho-rhip", "as-is")
    assert (result["n"], result["torso"], result["viewpoint"]) == (2, "lsho-rhip", "as-is")
    assert result["pck"]["0.1"]["nose"] == 50.0
    assert result["pck"]["0.2"]["nose"] == 100.0
    assert result["ci95"]["0.1"]["nose"] == [0.0, 100.0]


def test_observer_swaps_the_annotations_only(csv):
    truth = people()
    truth[:, INDEX["rsho"]] = [150, 0]
    found = truth.copy()
    found[:, [INDEX["lsho"], INDEX["rsho"]]] = truth[:, [INDEX["rsho"], INDEX["lsho"]]]
    found[:, [INDEX["lhip"], INDEX["rhip"]]] = truth[:, [INDEX["rhip"], INDEX["lhip"]]]
    paths = csv("a.csv", ["x", "y"], truth), csv("p.csv", ["x", "y"], found)
    assert score(*paths, "lsho-rhip", "observer")["pck"]["0.05"]["lsho"] == 100.0
    assert score(*paths, "lsho-rhip", "as-is")["pck"]["0.05"]["lsho"] == 0.0


def test_joints_without_columns_are_not_scored(csv):
    some = [column for column in JOINT_COLUMNS if column.startswith(("lelb", "relb"))]
    result = score(
        csv("a.csv", ["x", "y"], people()), csv("p.csv", ["x", "y"], people(), some), "lsho-rhip", "as-is"
    )
    assert result["pck"]["0.2"]["elbow"] == 100.0
    assert result["pck"]["0.2"]["wrist"] is None


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["x", "x"], "p.csv: id 'x' stands there twice"),
        (["x", "z"], "p.csv: no prediction for id 'y' (1 missing in all)"),
        (["x", "y", "z"], "p.csv: id 'z' is not in"),
    ],
)
def test_ids_must_fit(csv, ids, message):
    truth = csv("a.csv", ["x", "y"], people())
    with pytest.raises(InputError, match=re.escape(message)):
        score(truth, csv("p.csv", ids, np.zeros((len(ids), 11, 2))), "lsho-rhip", "as-is")


def test_text_in_a_joints_column_is_named(csv, tmp_path):
    path = csv("p.csv", ["x", "y"], people())
    path.write_text(path.read_text().replace("100.0", "left"))
    with pytest.raises(InputError, match=r"p.csv: a joint's column holds something that is no number"):
        score(csv("a.csv", ["x", "y"], people()), path, "lsho-rhip", "as-is")
