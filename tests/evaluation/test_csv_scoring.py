import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import JOINT_COLUMNS
from splitpose.errors import InputError
from splitpose.evaluation import csv_scoring
from splitpose.evaluation.csv_scoring import score
from splitpose.skeleton import INDEX

Write = Callable[..., Path]


@pytest.fixture
def csv(tmp_path: Path) -> Write:
    def write(
        name: str, ids: Sequence[str], joints: np.ndarray, columns: Sequence[str] = JOINT_COLUMNS, **more: list[str]
    ) -> Path:
        rows = pd.DataFrame(joints.reshape(len(ids), -1), columns=JOINT_COLUMNS)[list(columns)]
        rows.insert(0, "id", list(ids))
        rows.assign(**more).to_csv(tmp_path / name, index=False)
        return tmp_path / name

    return write


def people(count: int = 2) -> np.ndarray:
    joints = np.zeros((count, 11, 2))
    joints[:, INDEX["lsho"]] = [100, 0]
    joints[:, INDEX["rhip"]] = [70, 40]  # torso 50
    return joints


def columns_of(*joints: str) -> list[str]:
    return [column for column in JOINT_COLUMNS if column.startswith(joints)]


def test_rows_are_matched_by_id(csv: Write) -> None:
    truth, found = people(), people()
    truth[0, INDEX["nose"]] = [0, 300]
    found[0, INDEX["nose"]] = [8, 300]  # 0.16 of the torso off
    result = score(csv("a.csv", ["x", "y"], truth), csv("p.csv", ["y", "x"], found[::-1]), "lsho-rhip", "as-is")
    assert (result["n"], result["torso"], result["viewpoint"]) == (2, "lsho-rhip", "as-is")
    assert (result["without_torso"], result["bootstrap_cluster"]) == (0, None)
    assert result["pck"]["0.1"]["nose"] == 50.0
    assert result["pck"]["0.2"]["nose"] == 100.0
    assert result["ci95"]["0.1"]["nose"] == [0.0, 100.0]
    assert result["auc"]["0.2"]["nose"] == 60.0  # 1 - 0.16 / 0.2 of the first, all of the second


def test_thresholds_are_free(csv: Write) -> None:
    truth, found = people(), people()
    found[:, INDEX["nose"]] = [6, 8]  # 10 px of 50
    paths = csv("a.csv", ["x", "y"], truth), csv("p.csv", ["x", "y"], found)
    result = score(*paths, "lsho-rhip", "as-is", thresholds=[0.5, 0.19, 0.2])
    assert {at: groups["nose"] for at, groups in result["pck"].items()} == {"0.5": 100.0, "0.19": 0.0, "0.2": 100.0}
    assert result["auc"]["0.5"]["nose"] == 60.0
    for wrong in (0.0, -0.1, float("nan"), float("inf")):
        with pytest.raises(InputError, match=r"threshold .*: is not positive; use torso diameters"):
            score(*paths, "lsho-rhip", "as-is", thresholds=[0.2, wrong])


def test_observer_swaps_the_annotations_only(csv: Write) -> None:
    truth = people()
    truth[:, INDEX["rsho"]] = [150, 0]
    found = truth.copy()
    found[:, [INDEX["lsho"], INDEX["rsho"]]] = truth[:, [INDEX["rsho"], INDEX["lsho"]]]
    found[:, [INDEX["lhip"], INDEX["rhip"]]] = truth[:, [INDEX["rhip"], INDEX["lhip"]]]
    paths = csv("a.csv", ["x", "y"], truth), csv("p.csv", ["x", "y"], found)
    assert score(*paths, "lsho-rhip", "observer")["pck"]["0.05"]["lsho"] == 100.0
    assert score(*paths, "lsho-rhip", "as-is")["pck"]["0.05"]["lsho"] == 0.0


def test_person_centric_annotations_as_the_observer_sees_them(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_scoring, "RESAMPLES", 10)
    seen = shared / "flic" / "annotations_train.csv"
    own = shared / "flic" / "annotations_train_person_centric.csv"
    observer, as_is = (score(own, seen, "lsho-rhip", viewpoint) for viewpoint in ("observer", "as-is"))
    assert {at: groups["mean"] for at, groups in observer["pck"].items()} == {"0.05": 100, "0.1": 100, "0.2": 100}
    assert as_is["pck"]["0.05"]["lsho"] == pytest.approx(100 * (3987 - 199) / 3987, abs=1e-3)
    assert (as_is["viewpoint"], as_is["n"]) == ("as-is", 3987)


def test_people_of_a_cluster_are_resampled_together(csv: Write) -> None:
    truth, found = people(40), people(40)
    found[:20, INDEX["nose"]] = [50, 0]
    ids = [f"{n:02d}" for n in range(40)]
    truths = csv("a.csv", ids, truth, film=["a"] * 20 + ["b"] * 20)
    alone, together = (
        score(truths, csv("p.csv", ids, found), "lsho-rhip", "as-is", bootstrap_cluster=cluster)
        for cluster in (None, "film")
    )
    assert alone["pck"] == together["pck"]
    assert alone["ci95"]["0.2"]["nose"][0] > 30
    # Of two films both draws are the one, with a chance of a quarter.
    assert together["ci95"]["0.2"]["nose"] == [0.0, 100.0]
    assert together["bootstrap_cluster"] == "film"


def test_joints_without_columns_are_not_scored(csv: Write) -> None:
    elbows = columns_of("lelb", "relb")
    result = score(
        csv("a.csv", ["x", "y"], people()), csv("p.csv", ["x", "y"], people(), elbows), "lsho-rhip", "as-is"
    )
    assert result["pck"]["0.2"]["elbow"] == 100.0
    assert result["pck"]["0.2"]["mean"] == 100.0
    assert result["pck"]["0.2"]["wrist"] is None


def test_an_empty_prediction_of_an_annotated_joint_is_wrong(csv: Write) -> None:
    truth, found = people(), people()
    truth[0, INDEX["nose"]] = np.nan
    found[0, INDEX["lwri"]] = np.nan
    found[:, INDEX["leye"]] = np.nan  # columns without any number
    result = score(csv("a.csv", ["x", "y"], truth), csv("p.csv", ["x", "y"], found), "lsho-rhip", "as-is")
    at = result["pck"]["0.2"]
    assert (at["nose"], at["lwri"], at["leye"], at["reye"]) == (100.0, 50.0, 0.0, 100.0)


def test_people_without_a_torso_are_counted(csv: Write) -> None:
    truth = people(3)
    truth[1, INDEX["lsho"]] = np.nan
    result = score(csv("a.csv", "xyz", truth), csv("p.csv", "xyz", people(3)), "lsho-rhip", "as-is")
    assert (result["n"], result["without_torso"]) == (3, 1)
    assert result["pck"]["0.2"]["mean"] == 100.0


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["x", "x"], "p.csv, line 3: id 'x' is already in line 2"),
        (["x", "z"], "p.csv: no prediction for id 'y' (1 missing in all); add a row for each id of"),
        (["x", "y", "z"], "p.csv: id 'z' is not in"),
    ],
)
def test_ids_must_fit(csv: Write, ids: list[str], message: str) -> None:
    truth = csv("a.csv", ["x", "y"], people())
    with pytest.raises(InputError, match=re.escape(message)):
        score(truth, csv("p.csv", ids, np.zeros((len(ids), 11, 2))), "lsho-rhip", "as-is")


@pytest.mark.parametrize("torso", ["lsho-rhip", "rsho-lhip"])
def test_no_row_with_a_torso(csv: Write, torso: str) -> None:
    joints = people()
    joints[:, [INDEX["lsho"], INDEX["lhip"]]] = np.nan
    start, end = torso.split("-")
    with pytest.raises(
        InputError, match=rf"a.csv: no row has both {start} and {end}, which the torso diameter requires"
    ):
        score(csv("a.csv", ["x", "y"], joints), csv("p.csv", ["x", "y"], people()), torso, "as-is")


def test_nothing_in_common(csv: Write) -> None:
    truth = csv("a.csv", ["x", "y"], people(), columns_of("lsho", "rhip", "nose"))
    found = csv("p.csv", ["x", "y"], people(), columns_of("lwri"))
    with pytest.raises(InputError, match=r"p.csv: none of its joints is annotated in .*a.csv"):
        score(truth, found, "lsho-rhip", "as-is")
