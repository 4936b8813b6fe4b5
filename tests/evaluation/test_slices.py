from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import with_joints
from splitpose.evaluation.joints_csv import read
from splitpose.evaluation.pck import normalised_errors, torso_diameter
from splitpose.evaluation.slices import MIN_INSTANCES, score_slices
from splitpose.skeleton import INDEX, JOINTS

# Seen from the front, observer-centric: left is right in the image. The torso, lsho to rhip, is 100 px.
STANDING = {
    "lsho": (60, 0),
    "lelb": (65, 30),
    "lwri": (70, 60),
    "rsho": (0, 0),
    "relb": (-5, 30),
    "rwri": (-10, 60),
    "lhip": (50, 80),
    "rhip": (0, 80),
    "leye": (35, -30),
    "reye": (25, -30),
    "nose": (30, -25),
}
MISSING = (np.nan, np.nan)


def pose(**moved: tuple[float, float]) -> np.ndarray:
    return np.array([(STANDING | moved)[joint] for joint in JOINTS], float)


def table(joints: np.ndarray, groups: list[str] | None = None) -> pd.DataFrame:
    """Return a table with one image per person."""
    count = len(joints)
    images = [f"{n}.jpg" for n in range(count)]
    return with_joints(pd.DataFrame({"image": images, "group": groups or ["film"] * count}), joints)


def errors_of(count: int) -> np.ndarray:
    return np.zeros((count, len(JOINTS)))


def found(rows: list[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    return {row["value"]: row for row in rows if row["slice"] == name}


def test_thirds_of_the_torso() -> None:
    # Torsos of 100, 200 and 300 px, 40 of each: the first third ends two thirds of the way from 40th to 41st.
    sizes = np.repeat([1.0, 2.0, 3.0], 40)
    errors = errors_of(120)
    errors[80:] = 1.0
    errors[40:60] = 1.0
    thirds = found(score_slices(table(pose() * sizes[:, None, None]), errors, 0.2, 200, 0), "torso size")
    assert {value: (row["n"], row["pck"]["mean"]) for value, row in thirds.items()} == {
        "small, up to 167 px": (40, 100.0),
        "medium, up to 233 px": (40, 50.0),
        "large, above 233 px": (40, 0.0),
    }
    low, high = thirds["medium, up to 233 px"]["ci95"]["mean"]
    # 50 +/- 1.96 * sqrt(0.25 / 40) = 50 +/- 15.5
    assert (low, high) == (pytest.approx(34.5, abs=5), pytest.approx(65.5, abs=5))
    assert thirds["small, up to 167 px"]["ci95"]["mean"] == [100.0, 100.0]


@pytest.mark.parametrize(
    ("name", "joints", "label"),
    [
        ("wrists", pose(), "none above its shoulder"),
        ("wrists", pose(lwri=(70, -1)), "one above its shoulder"),
        ("wrists", pose(rwri=(70, -1), lwri=MISSING), "one above its shoulder"),
        ("wrists", pose(lwri=MISSING), None),  # it may be above
        ("elbows", pose(), "none bent past a right angle"),
        ("elbows", pose(lwri=(85, 30.1)), "none bent past a right angle"),  # down, then to the side: 93 degrees
        ("elbows", pose(lwri=(85, 25)), "one bent past a right angle"),
        ("elbows", pose(rwri=(-4, 2)), "one bent past a right angle"),
        ("elbows", pose(relb=MISSING), None),
        ("arms", pose(), "none across the torso"),
        ("arms", pose(lwri=(31, 60)), "none across the torso"),  # the middle between the shoulders is at 30
        ("arms", pose(lwri=(29, 60)), "one across the torso"),
        ("arms", pose(rwri=(31, 60)), "one across the torso"),
        ("arms", pose(rsho=MISSING), None),
        # Seen from behind and annotated person-centric: the shoulders trade places, and so do the wrists.
        ("arms", pose(lsho=(0, 0), rsho=(60, 0), lwri=(-10, 60), rwri=(70, 60)), "none across the torso"),
    ],
)
def test_arms(name: str, joints: np.ndarray, label: str | None) -> None:
    rows = score_slices(table(joints[None]), errors_of(1), 0.2, 10, 0)
    assert list(found(rows, name)) == ([] if label is None else [label])


def test_sides_are_joints_of_all_people() -> None:
    errors = errors_of(40)
    errors[:10, INDEX["lwri"]] = 1.0
    errors[:, INDEX["nose"]] = 1.0  # of neither side
    sides = found(score_slices(table(np.stack([pose()] * 40)), errors, 0.2, 50, 0), "side")
    assert list(sides) == ["left joints", "right joints"]
    left, right = sides.values()
    assert (left["n"], right["n"]) == (40, 40)
    assert (left["pck"]["wrist"], right["pck"]["wrist"]) == (75.0, 100.0)
    assert left["pck"]["mean"] == 95.0  # five joints a side
    assert right["pck"]["mean"] == 100.0
    assert left["pck"]["nose"] is None
    assert left["pck"]["rwri"] is None


def test_small_groups_are_merged() -> None:
    groups = ["big"] * MIN_INSTANCES + ["small"] * (MIN_INSTANCES - 1) + ["tiny"] * 2
    errors = errors_of(len(groups))
    errors[0] = 1.0
    rows = score_slices(table(np.stack([pose()] * len(groups)), groups), errors, 0.2, 50, 0)
    by_group = found(rows, "group")
    assert {value: row["n"] for value, row in by_group.items()} == {
        "big": MIN_INSTANCES,
        "2 others of fewer than 30 people each": MIN_INSTANCES + 1,
    }
    assert by_group["big"]["pck"]["mean"] == pytest.approx(100 * 29 / 30, abs=1e-3)
    assert by_group["2 others of fewer than 30 people each"]["pck"]["mean"] == 100.0


def test_a_slice_of_too_few_people_has_a_note() -> None:
    joints = np.stack([pose()] * 39 + [pose(lwri=(70, -1))] * 29)
    rows = found(score_slices(table(joints), errors_of(68), 0.2, 50, 0), "wrists")
    few, enough = rows["one above its shoulder"], rows["none above its shoulder"]
    assert few == {
        "slice": "wrists",
        "value": "one above its shoulder",
        "n": 29,
        "pck": None,
        "ci95": None,
        "note": "fewer than 30 people",
    }
    assert (enough["n"], enough["pck"]["mean"], enough["note"]) == (39, 100.0, None)


def test_people_who_are_not_scored_do_not_count() -> None:
    errors = errors_of(40)
    errors[:11] = np.nan
    rows = found(score_slices(table(np.stack([pose()] * 40)), errors, 0.2, 50, 0), "wrists")
    assert rows["none above its shoulder"]["n"] == 29
    assert rows["none above its shoulder"]["pck"] is None


def test_a_slice_of_one_cluster_has_no_interval() -> None:
    groups = ["a"] * 30 + ["b"] * 30
    errors = errors_of(60)
    errors[:15] = 1.0
    rows = score_slices(table(np.stack([pose()] * 60), groups), errors, 0.2, 50, 0, clusters=np.array(groups))
    a, b = found(rows, "group").values()
    assert (a["pck"]["mean"], a["ci95"], b["pck"]["mean"], b["ci95"]) == (50.0, None, 100.0, None)
    assert found(rows, "wrists")["none above its shoulder"]["ci95"]["mean"] == [50.0, 100.0]


def test_annotated_twice() -> None:
    people = table(np.stack([pose()] * 62))
    people.loc[31:, "image"] = people["image"][:31].to_numpy()  # all people again
    people.loc[31:, "nose_x"] += 5
    errors = errors_of(62)
    rows = found(score_slices(people, errors, 0.2, 50, 0), "annotated")
    assert {value: row["n"] for value, row in rows.items()} == {"twice": 62}


def test_real_people(shared: Path) -> None:
    path = shared / "flic" / "annotations_train.csv"
    people = pd.read_csv(path)
    people["group"] = people["image"].str.rsplit("-", n=1).str[0]  # <film>-<frame>.jpg
    truth = read(path).joints
    errors = normalised_errors(truth, truth + [10, 0])
    rows = score_slices(people, errors, 0.1, 100, 0, clusters=people["image"].to_numpy())
    large, medium, small = found(rows, "torso size").values()
    assert (large["n"], medium["n"], small["n"]) == (1329, 1329, 1329)
    assert (large["pck"]["mean"], medium["pck"]["mean"]) == (100, 100)
    # 10 px are within 0.1 of torsos of at least 100 px; all shorter ones are in the first third.
    short = (torso_diameter(truth) < 100).sum()
    assert small["pck"]["mean"] == pytest.approx(100 * (1 - short / 1329), abs=1e-3)
    assert small["ci95"]["mean"][0] < small["pck"]["mean"] < small["ci95"]["mean"][1]
    assert sum(row["n"] for row in found(rows, "group").values()) == 3987
    assert sum(row["n"] for row in found(rows, "annotated").values()) == 3987
