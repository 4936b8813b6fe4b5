import contextlib
import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from splitpose.annotations import JOINT_COLUMNS
from splitpose.data.formats import coco
from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError
from splitpose.evaluation import csv_scoring
from splitpose.evaluation.csv_scoring import score
from splitpose.evaluation.oks import SIGMAS
from splitpose.skeleton import FULL_NAMES, INDEX, JOINTS

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
    assert "1" in score(*paths, "lsho-rhip", "as-is", thresholds=[1])["pck"]
    message = (
        "threshold 5, 12.5: is more than a torso diameter; use torso diameters instead of percent: 0.05, 0.125"
    )
    with pytest.raises(InputError, match=message):
        score(*paths, "lsho-rhip", "as-is", thresholds=[0.2, 5, 12.5])


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


def test_oks_of_rows_matched_by_id(csv: Write) -> None:
    truth, found = people(4), people(4)
    # The joints extend over 100 px, so the area is 10,000 px^2: 30 px of a nose are e^-1664, of 11 joints 1/11.
    found[0, INDEX["nose"]] = [30, 0]
    found[1] = np.nan
    confidences = {"nose_confidence": ["0.9", "", "0.2", "0.8"], "lsho_confidence": ["0.7", "", "0.2", "0.8"]}
    ids = ["a", "b", "c", "d"]
    oks = score(csv("a.csv", ids, truth), csv("p.csv", ids, found, **confidences), "lsho-rhip", "as-is")["oks"]
    # Recall 3/4 up to OKS 0.90, at 76 of 101 recalls; 2/4 at 0.95: after a false one, the precisions are 1/2, 2/3.
    assert oks["AP50"] == oks["AP75"] == pytest.approx(100 * 76 / 101, abs=1e-6)
    assert oks["AP"] == pytest.approx((9 * 100 * 76 / 101 + 100 * 51 / 101 * 2 / 3) / 10, abs=1e-6)
    assert oks["AR"] == pytest.approx((9 * 75 + 50) / 10)
    assert (oks["n"], oks["ignored"], oks["without_score"]) == (4, 0, 0)
    assert (oks["scores_from"], oks["area_from"]) == ("confidence", {"joints": 4})


def test_oks_compares_the_joints_that_have_columns(csv: Write) -> None:
    paths = csv("a.csv", ["x"], people(1)), csv("p.csv", ["x"], people(1), columns_of("lelb", "relb"))
    oks = score(*paths, "lsho-rhip", "as-is")["oks"]
    assert (oks["joints"], oks["AP"], oks["scores_from"]) == (["lelb", "relb"], 100.0, "none")


def test_the_prediction_of_a_row_without_joints_is_ignored(csv: Write) -> None:
    truth, found = people(2), people(2)
    truth[1] = np.nan
    oks = score(csv("a.csv", ["x", "y"], truth), csv("p.csv", ["x", "y"], found), "lsho-rhip", "as-is")["oks"]
    assert (oks["AP"], oks["n"], oks["ignored"]) == (100.0, 1, 1)


def test_boxes_of_the_table_give_the_area(csv: Write) -> None:
    sides = {"box_x0": ["0"], "box_y0": ["0"], "box_x1": ["100"], "box_y1": ["100"]}
    found = people(1)
    found[:, INDEX["nose"]] = [0, 10]  # exp(-100 / (8 * 0.026^2 * 5300)) = 0.0305; OKS = (10 + 0.03) / 11 = 0.91
    oks = score(csv("a.csv", ["x"], people(1), **sides), csv("p.csv", ["x"], found), "lsho-rhip", "as-is")["oks"]
    assert (oks["AR"], oks["area_from"]) == (90.0, {"box": 1})


@pytest.fixture
def coco_files(shared: Path, tmp_path: Path) -> tuple[dict[str, Any], list[dict[str, Any]], Path, Path]:
    """Annotations of photographs with crowds and people without joints, and predictions, some of them elsewhere."""
    truth = json.loads((shared / "coco_more" / "person_keypoints.json").read_text())
    rng = np.random.default_rng(0)
    results = []
    for n, person in enumerate(truth["annotations"]):
        keypoints = np.array(person["keypoints"], float).reshape(-1, 3)
        keypoints[:, :2] += rng.normal(0, 0.05, (17, 2)) * np.sqrt(person["area"])
        keypoints[:, 2] = rng.random(17)
        if n % 50 == 0:
            person["iscrowd"] = 1
        if n % 50 == 1:
            person |= {"keypoints": [0] * 51, "num_keypoints": 0}
        if n % 7 == 2:
            keypoints[:, 0] += 1000
        if n % 9 and person["image_id"] != truth["annotations"][5]["image_id"]:
            image, score = person["image_id"], round(rng.random(), 1)
            results.append(
                {"image_id": image, "category_id": 1, "keypoints": keypoints.ravel().tolist(), "score": score}
            )
    paths = tmp_path / "a.json", tmp_path / "p.json"
    for path, data in zip(paths, (truth, results), strict=True):
        path.write_text(json.dumps(data))
    return truth, results, *paths


def upper_body(truth: dict[str, Any], results: list[dict[str, Any]]) -> tuple[COCO, COCO]:
    """Return annotations and results with the 11 joints alone, for pycocotools."""
    names = truth["categories"][0]["keypoints"]
    indices = [names.index(FULL_NAMES[joint].replace(" ", "_")) for joint in JOINTS]
    for entry in (*truth["annotations"], *results):
        entry["keypoints"] = np.array(entry["keypoints"]).reshape(-1, 3)[indices].ravel().tolist()
    for person in truth["annotations"]:
        person["num_keypoints"] = sum(visibility > 0 for visibility in person["keypoints"][2::3])
    reference = COCO()
    reference.dataset = truth
    reference.createIndex()
    return reference, reference.loadRes(results)


def test_coco_files(
    coco_files: tuple[dict[str, Any], list[dict[str, Any]], Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_scoring, "RESAMPLES", 10)
    truth, results, *paths = coco_files
    result = score(paths[0], paths[1], "lsho-rhip", "as-is", bootstrap_cluster="image")
    people = [person for person in truth["annotations"] if any(person["keypoints"][2::3]) and not person["iscrowd"]]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(*upper_body(truth, results), "keypoints")
        evaluation.params.kpt_oks_sigmas = SIGMAS
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50, ap75, _, _, ar, *_ = 100 * evaluation.stats
    assert 20 < ap < ar < ap50 < 90
    expected = {"AP": ap, "AP50": ap50, "AP75": ap75, "AR": ar}
    assert {name: result["oks"][name] for name in expected} == pytest.approx(expected, abs=1e-5)
    assert (result["oks"]["area_from"], result["oks"]["scores_from"]) == (
        {"annotation": result["oks"]["n"]},
        "score",
    )
    assert result["matching"] == "image"
    assert result["n"] <= len(people)  # some have legs only
    assert result["formats"] == {
        "annotations": f"COCO keypoints, {len(truth['annotations'])} people",
        "predictions": f"COCO results, {len(results)} people",
    }
    assert result["unmatched"]["annotations"] > 50
    assert result["unmatched"]["predictions"] > 50


def test_equal_people_in_coco_table_and_results(shared: Path, tmp_path: Path, csv: Write) -> None:
    path = shared / "coco_mini" / "person_keypoints.json"
    found = coco.read(path, JointNames())
    names = found.images["file_name"].to_numpy()[found.people["image"].to_numpy(int)]
    table = csv("p.csv", [f"{n}" for n in range(len(names))], found.joints, image=list(names))
    for predictions in (path, table):
        result = score(path, predictions, "lsho-rhip", "as-is")
        assert (result["pck"]["0.05"]["mean"], result["oks"]["AP"]) == (100.0, 100.0)
        assert (result["matching"], result["unmatched"]) == ("image", {"annotations": 0, "predictions": 0})
        assert (result["n"], result["oks"]["n"], result["oks"]["ignored"]) == (346, 346, 2)
    by_id = csv("p.csv", list(found.people["id"]), found.joints)
    assert score(path, by_id, "lsho-rhip", "as-is")["matching"] == "id"
    table = csv("a.csv", [f"{n}" for n in range(len(names))], found.joints, image=list(names))
    result = score(table, path, "lsho-rhip", "as-is")
    assert (result["matching"], result["n"], result["pck"]["0.05"]["mean"]) == ("image", 346, 100.0)


def test_results_as_annotations(coco_files: Any) -> None:
    with pytest.raises(InputError, match=r"p.json: is a list of COCO results; give the complete COCO JSON of the"):
        score(coco_files[3], coco_files[3], "lsho-rhip", "as-is")
    with pytest.raises(InputError, match=r"a.json: images have no 'film'; they have image, id"):
        score(coco_files[2], coco_files[3], "lsho-rhip", "as-is", bootstrap_cluster="film")


def test_broken_json(tmp_path: Path, csv: Write) -> None:
    (tmp_path / "p.json").write_text('[{"image_id": 1,')
    with pytest.raises(InputError, match=r"p.json: is not valid JSON \(.*\); export it again"):
        score(csv("a.csv", ["x"], people(1)), tmp_path / "p.json", "lsho-rhip", "as-is")


@pytest.mark.parametrize("name", ["german.csv", "full.csv"])
def test_the_same_predictions_from_a_spreadsheet_and_with_full_joint_names(shared: Path, name: str) -> None:
    folder = shared / "cases" / "score_other_files"
    plain, other = (score(folder / "a.csv", folder / file, "lsho-rhip", "as-is") for file in ("p.csv", name))
    assert {**other, "formats": None} == {**plain, "formats": None}
    assert other["pck"]["0.05"]["mean"] == 52.045


def test_results_whose_images_are_not_in_the_table(shared: Path) -> None:
    folder = shared / "cases" / "score_other_files"
    with pytest.raises(
        InputError, match=r"results.json: 40 of its 40 images are not in .*a.csv: '1', '2', '3' and 37"
    ):
        score(folder / "a.csv", folder / "results.json", "lsho-rhip", "as-is")
