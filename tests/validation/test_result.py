import json
from collections.abc import Callable
from pathlib import Path

import cv2
import great_expectations.expectations as gxe
import numpy as np
import pandas as pd
import pytest

from splitpose import validation
from splitpose.annotations import BOX_COLUMNS, COLUMNS, JOINT_COLUMNS, typed
from splitpose.errors import InputError
from splitpose.skeleton import JOINTS
from splitpose.validation.expectation_suites import POSTCONDITIONS, PRECONDITIONS, QUARANTINE, TOLD, Rule, Suite

POSE = {
    "lsho": (60, 30),
    "lelb": (66, 45),
    "lwri": (64, 58),
    "rsho": (40, 30),
    "relb": (34, 45),
    "rwri": (36, 58),
    "lhip": (56, 66),
    "rhip": (44, 66),
    "leye": (53, 12),
    "reye": (47, 12),
    "nose": (50, 15),
}
PEOPLE = 20

Change = Callable[[pd.DataFrame, Path], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a picture of 100 x 80 px for each of the people."""
    folder = tmp_path / "data"
    (folder / "raw").mkdir(parents=True)
    for i in range(PEOPLE):
        cells = np.random.default_rng(i).integers(30, 255, (16, 20), np.uint8)
        cv2.imwrite(str(folder / f"raw/{i:02}.png"), cv2.resize(cells, (100, 80), interpolation=cv2.INTER_NEAREST))
    return folder


@pytest.fixture
def table() -> pd.DataFrame:
    """10 people of train (p00...), 4 of val, 6 of test, a picture each, a film for two; nothing is wrong."""
    pose = dict(zip(JOINT_COLUMNS, np.array([POSE[joint] for joint in JOINTS], float).ravel(), strict=True))
    rows = [
        {"id": f"p{i:02}", "image": f"raw/{i:02}.png", "width": 100, "height": 80, "group": f"film{i // 2}"}
        | dict(zip(BOX_COLUMNS, (20.0, 5.0, 80.0, 75.0), strict=True))
        | pose
        for i in range(PEOPLE)
    ]
    return typed(pd.DataFrame(rows).assign(split=["train"] * 10 + ["val"] * 4 + ["test"] * 6))


def set_values(**values: object) -> Change:
    """Changes of row 3."""

    def change(table: pd.DataFrame, root: Path) -> None:
        for column, value in values.items():
            table.loc[3, column] = value

    return change


def shrink(table: pd.DataFrame, root: Path) -> None:
    """The pose at a twelfth of its size: 39.4 px of torso become 3.28."""
    table.loc[3, JOINT_COLUMNS] = table.loc[3, JOINT_COLUMNS].astype(float) / 12


def remove_picture(table: pd.DataFrame, root: Path) -> None:
    (root / "raw/03.png").unlink()


def cut_picture(table: pd.DataFrame, root: Path) -> None:
    data = (root / "raw/03.png").read_bytes()
    (root / "raw/03.png").write_bytes(data[: len(data) // 2])


def test_a_clean_table_passes_untouched(table: pd.DataFrame, root: Path) -> None:
    verdict = validation.run(table, root, None)
    pd.testing.assert_frame_equal(verdict.table, table)
    assert verdict.quarantine.empty
    assert verdict.told.empty
    for found in (verdict.quarantine, verdict.told):
        assert list(found.columns) == ["id", "image", "rule", "value", "reason"]
    assert verdict.summary == {
        "passed": True,
        "failures": [],
        "rows": {"train": 10, "val": 4, "test": 6},
        "groups": {"train": 5, "val": 2, "test": 3},
        "sources": {"raw": 20},
        "quarantined_rows": 0,
        "quarantined": {rule.name: 0 for rule in QUARANTINE.rules},
        "told": {rule.name: 0 for rule in TOLD.rules},
    }


BROKEN: list[tuple[str, str, Change]] = [
    ("picture", "No such file or directory", remove_picture),
    ("picture", "no picture, damaged or cut short", cut_picture),
    ("size", "100x81, 100x80", set_values(height=81)),
    ("no_joints", "0", set_values(**dict.fromkeys(JOINT_COLUMNS, np.nan))),
    ("half_joint", "1", set_values(lwri_y=np.nan)),
    ("torso", "3.28", shrink),
    ("outside", "1.5", set_values(lwri_x=100.5)),
    # Torso from (60, 30) to (57, 50): 20.22 px; lower arm from (34, 70) to (99, 79): 65.62 px.
    ("limb", "3.24", set_values(rhip_x=57, rhip_y=50, relb_x=34, relb_y=70, rwri_x=99, rwri_y=79)),
    ("box", "-10", set_values(box_x0=90)),
    ("copy", "p02", set_values(image="raw/02.png")),
]


@pytest.mark.parametrize(("rule", "value", "change"), BROKEN)
def test_a_broken_row_goes_into_quarantine(
    table: pd.DataFrame, root: Path, rule: str, value: str, change: Change
) -> None:
    change(table, root)
    verdict = validation.run(table, root, None)
    reason = next(known.reason for known in QUARANTINE.rules if known.name == rule)
    assert verdict.quarantine.to_numpy().tolist() == [["p03", table["image"][3], rule, value, reason]]
    assert verdict.table["id"].tolist() == [id_ for id_ in table["id"] if id_ != "p03"]
    assert verdict.summary["quarantined"] == {known.name: int(known.name == rule) for known in QUARANTINE.rules}
    assert verdict.summary["quarantined_rows"] == 1
    assert verdict.summary["rows"] == {"train": 9, "val": 4, "test": 6}


def test_every_quarantine_rule_is_tried() -> None:
    assert {rule for rule, _, _ in BROKEN} == {rule.name for rule in QUARANTINE.rules}


def test_a_row_that_breaks_two_rules_is_listed_twice_and_people_keep_their_order(
    table: pd.DataFrame, root: Path
) -> None:
    set_values(lwri_x=120, box_x0=90)(table, root)
    table.loc[1, "box_x1"] = 20
    verdict = validation.run(table, root, None)
    assert verdict.quarantine[["id", "rule", "value"]].to_numpy().tolist() == [
        ["p01", "box", "0"],
        ["p03", "outside", "21"],
        ["p03", "box", "-10"],
    ]
    assert verdict.summary["quarantined_rows"] == 2


def copy_of_a_training_picture(table: pd.DataFrame, root: Path) -> None:
    """The picture of p19, of test, is that of p03, of train, twice as large."""
    picture = cv2.imread(str(root / "raw/03.png"))
    cv2.imwrite(str(root / "raw/19.png"), cv2.resize(picture, (200, 160)))
    table.loc[19, ["width", "height"]] = [200, 160]


def near_frame(table: pd.DataFrame, root: Path) -> None:
    """p18 and p19, of test, join p03's film, 10 and 11 frames after it."""
    for row, name in [(18, "13"), (19, "14")]:
        (root / table["image"][row]).rename(root / f"raw/film-{name}.png")
        table.loc[row, ["image", "group"]] = [f"raw/film-{name}.png", table["group"][3]]
    table.loc[2, "group"] = "another"


TOLD_OF: list[tuple[str, dict[str, str], Change]] = [
    ("sides_swapped", {"p03": "60, 60.5"}, set_values(rsho_x=60.5)),
    # The hips' sides swapped: the sides of the body are 36.22 px long, their diagonals 39.40 px, and the torso
    # is 36.22 px then.
    ("sides_crossed", {"p03": "0.18"}, set_values(lhip_x=44, rhip_x=56)),
    # The right upper arm is 16.16 px long, the left one 3.
    ("uneven", {"p03": "5.39"}, set_values(lelb_x=60, lelb_y=33)),
    ("joints_missing", {"p03": "10"}, set_values(leye_x=np.nan, leye_y=np.nan)),
    ("torso_missing", {"p03": "empty"}, set_values(rhip_x=np.nan, rhip_y=np.nan)),
    # p03, of train, joins p19, of test, 30 px beside; that is the same frame, too.
    (
        "two_splits",
        {"p03": "2", "p19": "2"},
        set_values(image="raw/19.png", group="film", **{f"{j}_x": POSE[j][0] + 30 for j in JOINTS}),
    ),
    ("near_frame", {"p18": "10"}, near_frame),
    ("near_copy", {"p19": "raw/03.png"}, copy_of_a_training_picture),
    # 11 px to the side is 0.28 torso diameters; 12 px would be 0.305.
    (
        "annotated_twice",
        {"p02": "0.28", "p03": "0.28"},
        set_values(image="raw/02.png", **{f"{j}_x": POSE[j][0] + 11 for j in JOINTS}),
    ),
]

ALSO_TOLD = {"torso_missing": ["joints_missing"], "two_splits": ["near_copy"]}


@pytest.mark.parametrize(("rule", "people", "change"), TOLD_OF)
def test_what_is_only_told_stays_in_the_table(
    table: pd.DataFrame, root: Path, rule: str, people: dict[str, str], change: Change
) -> None:
    change(table, root)
    verdict = validation.run(table, root, None)
    told = verdict.told[verdict.told["rule"] == rule]
    assert dict(zip(told["id"], told["value"], strict=True)) == people
    also = {other: 1 for other in ALSO_TOLD.get(rule, [])}
    assert verdict.summary["told"] == {known.name: 0 for known in TOLD.rules} | {rule: len(people)} | also
    assert verdict.quarantine.empty
    pd.testing.assert_frame_equal(verdict.table, table)


def test_what_is_told_names_picture_and_reason(table: pd.DataFrame, root: Path) -> None:
    set_values(rsho_x=60.5)(table, root)
    reason = "the left shoulder lies left of the right one: seen from behind, or sides swapped"
    told = validation.run(table, root, None).told.to_numpy().tolist()
    assert told == [["p03", "raw/03.png", "sides_swapped", "60, 60.5", reason]]


def test_every_told_rule_is_tried() -> None:
    assert {rule for rule, _, _ in TOLD_OF} == {rule.name for rule in TOLD.rules}


def test_people_next_to_each_other_are_not_one_person(table: pd.DataFrame, root: Path) -> None:
    set_values(image="raw/02.png", **{f"{j}_x": POSE[j][0] + 12 for j in JOINTS})(table, root)
    assert validation.run(table, root, None).summary["told"]["annotated_twice"] == 0


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda t: t.drop(columns=["lsho_x", "id"]), r"columns: .* lacks columns \(missing: id, lsho_x\)"),
        (lambda t: t.drop(columns="split"), r"columns: .* \(missing: split\)"),
        (lambda t: t.iloc[:0], r"people: the annotation table has no people \(found 0\)"),
        (
            lambda t: t.assign(id=["twin", "twin", *t["id"][2:]]),
            r"id_unique: .* \(2 of 20 rows, first twin\)",
        ),
        (
            lambda t: t.assign(group=[None, *t["group"][1:]]),
            r"group_given: .* \(1 of 20 rows, first p00: empty\)",
        ),
        (lambda t: t.assign(split="dev"), r"split_known: .* \(20 of 20 rows, first p00: dev\)"),
        (lambda t: t.assign(width=0), r"width_positive: .* \(20 of 20 rows, first p00: 0\)"),
        (lambda t: t.assign(height="tall"), r"height_positive: .* \(could not be evaluated\)"),
        (lambda t: t.assign(nose_x="left"), r"column 'nose_x' holds something that is no number"),
        (lambda t: t[t["split"] != "test"], r"train_and_test: .* \(missing: test\)"),
        (lambda t: t[t["split"] == "test"], r"train_and_test: .* \(missing: train\)"),
        (
            lambda t: t.assign(box_x1=[0] * 3 + [80] * 17),
            r"share: .* \(found 0.15\); rows in quarantine: box 3",
        ),
    ],
)
def test_what_must_hold_ends_in_one_line_with_the_figure(
    table: pd.DataFrame, root: Path, change: Callable[[pd.DataFrame], pd.DataFrame], line: str
) -> None:
    with pytest.raises(InputError, match=line + "$") as error:
        validation.run(change(table), root, None)
    assert "\n" not in str(error.value)


def test_a_tenth_in_quarantine_is_allowed(table: pd.DataFrame, root: Path) -> None:
    table.loc[:1, "box_x1"] = 0
    assert validation.run(table, root, None).summary["quarantined_rows"] == 2


def test_without_any_picture_run_raises_and_inspect_tells(table: pd.DataFrame, tmp_path: Path) -> None:
    line = r"share: .*found 1\); train_and_test: .*missing: test, train\); rows in quarantine: picture 20"
    with pytest.raises(InputError, match=line):
        validation.run(table, tmp_path, None)
    verdict = validation.inspect(table, tmp_path, None)
    assert not verdict.summary["passed"]
    assert len(verdict.summary["failures"]) == 2
    assert verdict.summary["quarantined"]["picture"] == len(verdict.quarantine) == PEOPLE
    assert verdict.table.empty
    assert list(verdict.table.columns) == COLUMNS


def test_the_same_table_gives_the_same_verdict(table: pd.DataFrame, root: Path) -> None:
    set_values(lwri_x=120, image="raw/02.png")(table, root)
    first, second = (validation.run(table.copy(), root, None) for _ in range(2))
    assert json.dumps(first.summary) == json.dumps(second.summary)
    pd.testing.assert_frame_equal(first.quarantine, second.quarantine)


def test_a_rule_that_can_not_be_evaluated_does_not_pass(
    table: pd.DataFrame, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typo = Rule("typo", gxe.ExpectColumnValuesToBeBetween(column="torsso", min_value=5), "no such column")
    monkeypatch.setattr("splitpose.validation.result.QUARANTINE", Suite("quarantine", "warning", (typo,)))
    with pytest.raises(RuntimeError, match="rule typo could not be evaluated"):
        validation.run(table, root, None)


def test_data_docs_hold_every_suite_and_are_replaced(table: pd.DataFrame, root: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for _ in range(2):
        validation.run(table, root, docs)
    assert (docs / "index.html").is_file()
    pages = list((docs / "validations").rglob("*.html"))
    suites = sorted(page.relative_to(docs / "validations").parts[0] for page in pages)
    assert suites == sorted(suite.name for suite in (PRECONDITIONS, QUARANTINE, TOLD, POSTCONDITIONS))
    assert "a limb is longer than 3 torso diameters" in (docs / "expectations/quarantine.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "docs"]


def test_data_docs_are_written_where_the_checks_fail(table: pd.DataFrame, root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="id_unique"):
        validation.run(table.assign(id="same"), root, tmp_path / "docs")
    assert (tmp_path / "docs/index.html").is_file()


def test_data_docs_do_not_replace_anything_else(table: pd.DataFrame, root: Path) -> None:
    with pytest.raises(InputError, match="name a new folder"):
        validation.run(table, root, root)
    assert len(list((root / "raw").iterdir())) == PEOPLE


def test_sources_are_counted(table: pd.DataFrame, root: Path) -> None:
    (root / "incoming/monday").mkdir(parents=True)
    for row in (3, 4):
        (root / table["image"][row]).rename(root / f"incoming/monday/{row}.png")
        table.loc[row, "image"] = f"incoming/monday/{row}.png"
    assert validation.run(table, root, None).summary["sources"] == {"incoming/monday": 2, "raw": 18}


def test_what_was_looked_at_serves_the_next_run(
    table: pd.DataFrame, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = validation.run(table, root, None)
    monkeypatch.setattr("splitpose.images.decode", None)
    again = validation.run(table, root, None, looked=first.looked)
    pd.testing.assert_frame_equal(again.looked, first.looked)
    assert again.summary == first.summary


def test_splits_that_are_not_cut_need_not_be_there(table: pd.DataFrame, root: Path) -> None:
    train = table.assign(split="train")
    assert not validation.inspect(train, root, None).summary["passed"]
    assert validation.inspect(train, root, None, splits_are_cut=False).summary["passed"]


def flic_counts() -> pd.DataFrame:
    """As many rows and images as FLIC has, some of them cut off for val, and a delivery besides."""
    train = pd.DataFrame({"split": "train", "image": [f"raw/a{i % 3628}.jpg" for i in range(3987)]})
    train.loc[:600, "split"] = "val"
    test = pd.DataFrame({"split": "test", "image": [f"raw/b{i % 926}.jpg" for i in range(1016)]})
    new = pd.DataFrame({"split": "train", "image": [f"incoming/c{i}.jpg" for i in range(10)]})
    table = pd.concat([train, test, new], ignore_index=True)
    values = {"width": 720, "height": 480, "group": "film", **dict.fromkeys([*BOX_COLUMNS, *JOINT_COLUMNS], np.nan)}
    return typed(table.assign(id=[f"p{i}" for i in range(len(table))], **values))


def test_published_counts_of_flic(table: pd.DataFrame, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("splitpose.validation.result._inspect", lambda *arguments: "inspected")
    flic = flic_counts()
    assert validation.inspect(flic, root, None, published="FLIC") == "inspected"
    line = (
        r"train_rows: FLIC has 3,987 training rows \(found 3986\); "
        r"train_images: FLIC's training rows are of 3,628 images \(found 3627\)$"
    )
    with pytest.raises(InputError, match=line):
        validation.inspect(flic.drop(index=3000), root, None, published="FLIC")
    with pytest.raises(InputError, match=r"failed: test_rows: FLIC has 1,016 test rows \(found 1015\)$"):
        validation.inspect(flic.drop(index=3987), root, None, published="FLIC")
    renamed = flic.assign(image=flic["image"].replace("raw/b500.jpg", "raw/b501.jpg"))
    with pytest.raises(InputError, match=r"failed: test_images: .* 926 images \(found 925\)$"):
        validation.inspect(renamed, root, None, published="FLIC")
    for edition in (None, "FLIC-full"):
        assert validation.inspect(table, root, None, published=edition) == "inspected"
