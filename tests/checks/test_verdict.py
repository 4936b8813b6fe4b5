import json
from collections.abc import Callable
from pathlib import Path

import cv2
import great_expectations.expectations as gxe
import numpy as np
import pandas as pd
import pytest

from splitpose import checks
from splitpose.annotations import BOX_COLUMNS, COLUMNS, JOINT_COLUMNS, typed
from splitpose.checks.suites import MUST_HOLD, MUST_REMAIN, QUARANTINE, TOLD, Rule, Suite
from splitpose.errors import InputError
from splitpose.skeleton import JOINTS

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
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(PEOPLE):
        cv2.imwrite(str(folder / f"{i:02}.jpg"), np.full((80, 100, 3), 10 * i, np.uint8))
    return folder


@pytest.fixture
def table() -> pd.DataFrame:
    """10 people of train (p00...), 4 of val, 6 of test, a picture each, a film for two; nothing is wrong."""
    pose = dict(zip(JOINT_COLUMNS, np.array([POSE[joint] for joint in JOINTS], float).ravel(), strict=True))
    rows = [
        {"id": f"p{i:02}", "image": f"{i:02}.jpg", "width": 100, "height": 80, "group": f"film{i // 2}"}
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
    (root / "03.jpg").unlink()


def cut_picture(table: pd.DataFrame, root: Path) -> None:
    data = (root / "03.jpg").read_bytes()
    (root / "03.jpg").write_bytes(data[: len(data) // 2])


def test_a_clean_table_passes_untouched(table: pd.DataFrame, root: Path) -> None:
    verdict = checks.run(table, root, None)
    pd.testing.assert_frame_equal(verdict.table, table)
    assert verdict.quarantine.empty
    assert list(verdict.quarantine.columns) == ["id", "image", "rule", "value", "reason"]
    assert verdict.summary == {
        "passed": True,
        "failures": [],
        "rows": {"train": 10, "val": 4, "test": 6},
        "groups": {"train": 5, "val": 2, "test": 3},
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
    ("copy", "p02", set_values(image="02.jpg")),
]


@pytest.mark.parametrize(("rule", "value", "change"), BROKEN)
def test_a_broken_row_goes_into_quarantine(
    table: pd.DataFrame, root: Path, rule: str, value: str, change: Change
) -> None:
    change(table, root)
    verdict = checks.run(table, root, None)
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
    verdict = checks.run(table, root, None)
    assert verdict.quarantine[["id", "rule", "value"]].to_numpy().tolist() == [
        ["p01", "box", "0"],
        ["p03", "outside", "21"],
        ["p03", "box", "-10"],
    ]
    assert verdict.summary["quarantined_rows"] == 2


TOLD_OF: list[tuple[str, int, Change]] = [
    ("sides_swapped", 1, set_values(rsho_x=60.5)),
    ("joints_missing", 1, set_values(leye_x=np.nan, leye_y=np.nan)),
    ("torso_missing", 1, set_values(rhip_x=np.nan, rhip_y=np.nan)),
    # p03, of train, joins p19, of test, 30 px beside.
    ("two_splits", 2, set_values(image="19.jpg", **{f"{j}_x": POSE[j][0] + 30 for j in JOINTS})),
    # 11 px to the side is 0.28 torso diameters; 12 px would be 0.305.
    ("annotated_twice", 2, set_values(image="02.jpg", **{f"{j}_x": POSE[j][0] + 11 for j in JOINTS})),
]


@pytest.mark.parametrize(("rule", "count", "change"), TOLD_OF)
def test_what_is_only_told_stays_in_the_table(
    table: pd.DataFrame, root: Path, rule: str, count: int, change: Change
) -> None:
    change(table, root)
    verdict = checks.run(table, root, None)
    expected = {known.name: 0 for known in TOLD.rules} | {rule: count}
    if rule == "torso_missing":
        expected["joints_missing"] = 1
    assert verdict.summary["told"] == expected
    pd.testing.assert_frame_equal(verdict.table, table)


def test_every_told_rule_is_tried() -> None:
    assert {rule for rule, _, _ in TOLD_OF} == {rule.name for rule in TOLD.rules}


def test_people_next_to_each_other_are_not_one_person(table: pd.DataFrame, root: Path) -> None:
    set_values(image="02.jpg", **{f"{j}_x": POSE[j][0] + 12 for j in JOINTS})(table, root)
    assert checks.run(table, root, None).summary["told"]["annotated_twice"] == 0


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
        checks.run(change(table), root, None)
    assert "\n" not in str(error.value)


def test_a_tenth_in_quarantine_is_allowed(table: pd.DataFrame, root: Path) -> None:
    table.loc[:1, "box_x1"] = 0
    assert checks.run(table, root, None).summary["quarantined_rows"] == 2


def test_without_any_picture_run_raises_and_inspect_tells(table: pd.DataFrame, tmp_path: Path) -> None:
    line = r"share: .*found 1\); train_and_test: .*missing: test, train\); rows in quarantine: picture 20"
    with pytest.raises(InputError, match=line):
        checks.run(table, tmp_path, None)
    verdict = checks.inspect(table, tmp_path, None)
    assert not verdict.summary["passed"]
    assert len(verdict.summary["failures"]) == 2
    assert verdict.summary["quarantined"]["picture"] == len(verdict.quarantine) == PEOPLE
    assert verdict.table.empty
    assert list(verdict.table.columns) == COLUMNS


def test_the_same_table_gives_the_same_verdict(table: pd.DataFrame, root: Path) -> None:
    set_values(lwri_x=120, image="02.jpg")(table, root)
    first, second = (checks.run(table.copy(), root, None) for _ in range(2))
    assert json.dumps(first.summary) == json.dumps(second.summary)
    pd.testing.assert_frame_equal(first.quarantine, second.quarantine)


def test_a_rule_that_can_not_be_evaluated_does_not_pass(
    table: pd.DataFrame, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typo = Rule("typo", gxe.ExpectColumnValuesToBeBetween(column="torsso", min_value=5), "no such column")
    monkeypatch.setattr("splitpose.checks.verdict.QUARANTINE", Suite("quarantine", "warning", (typo,)))
    with pytest.raises(RuntimeError, match="rule typo could not be evaluated"):
        checks.run(table, root, None)


def test_data_docs_hold_every_suite_and_are_replaced(table: pd.DataFrame, root: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for _ in range(2):
        checks.run(table, root, docs)
    assert (docs / "index.html").is_file()
    pages = list((docs / "validations").rglob("*.html"))
    suites = sorted(page.relative_to(docs / "validations").parts[0] for page in pages)
    assert suites == sorted(suite.name for suite in (MUST_HOLD, QUARANTINE, TOLD, MUST_REMAIN))
    assert "a limb is longer than 3 torso diameters" in (docs / "expectations/quarantine.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs", "images"]


def test_data_docs_are_written_where_the_checks_fail(table: pd.DataFrame, root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="id_unique"):
        checks.run(table.assign(id="same"), root, tmp_path / "docs")
    assert (tmp_path / "docs/index.html").is_file()


def test_data_docs_do_not_replace_anything_else(table: pd.DataFrame, root: Path) -> None:
    with pytest.raises(InputError, match="name a new folder"):
        checks.run(table, root, root)
    assert len(list(root.iterdir())) == PEOPLE
