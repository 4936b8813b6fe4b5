import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import great_expectations.expectations as gxe
import numpy as np
import pandas as pd
import pytest

from splitpose.annotations import BOX_COLUMNS, COLUMNS, JOINT_COLUMNS, REPLACES, cast_columns
from splitpose.errors import InputError
from splitpose.skeleton import JOINTS
from splitpose.validation import ValidationResult, validate
from splitpose.validation.expectation_suites import POSTCONDITIONS, PRECONDITIONS, QUARANTINE, WARNINGS, Rule, Suite

pytestmark = pytest.mark.integration

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
"""Modifies the table and the images below the root."""


def run(table: pd.DataFrame, root: Path, **options: Any) -> ValidationResult:
    """Validate a table and raise if a postcondition fails, as the pipeline does."""
    result = validate(table, root, **options)
    result.raise_if_failed()
    return result


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with an image of 100 x 80 px for each instance."""
    folder = tmp_path / "data"
    (folder / "raw").mkdir(parents=True)
    for i in range(PEOPLE):
        cells = np.random.default_rng(i).integers(30, 255, (16, 20), np.uint8)
        cv2.imwrite(str(folder / f"raw/{i:02}.png"), cv2.resize(cells, (100, 80), interpolation=cv2.INTER_NEAREST))
    return folder


@pytest.fixture
def table() -> pd.DataFrame:
    """A valid table: 10 instances of train (p00...), 4 of val, 6 of test, one per image and two per film."""
    pose = dict(zip(JOINT_COLUMNS, np.array([POSE[joint] for joint in JOINTS], float).ravel(), strict=True))
    rows = [
        {"id": f"p{i:02}", "image": f"raw/{i:02}.png", "width": 100, "height": 80, "group": f"film{i // 2}"}
        | dict(zip(BOX_COLUMNS, (20.0, 5.0, 80.0, 75.0), strict=True))
        | pose
        for i in range(PEOPLE)
    ]
    return cast_columns(pd.DataFrame(rows).assign(split=["train"] * 10 + ["val"] * 4 + ["test"] * 6))


def set_values(**values: object) -> Change:
    """Set values in row 3."""

    def change(table: pd.DataFrame, root: Path) -> None:
        for column, value in values.items():
            table.loc[3, column] = value

    return change


def shrink(table: pd.DataFrame, root: Path) -> None:
    """Scale the pose of row 3 to a twelfth: the torso of 39.4 px becomes 3.28 px."""
    table.loc[3, JOINT_COLUMNS] = table.loc[3, JOINT_COLUMNS].astype(float) / 12


def remove_image(table: pd.DataFrame, root: Path) -> None:
    (root / "raw/03.png").unlink()


def truncate_image(table: pd.DataFrame, root: Path) -> None:
    data = (root / "raw/03.png").read_bytes()
    (root / "raw/03.png").write_bytes(data[: len(data) // 2])


def remove_the_end_of_an_image(table: pd.DataFrame, root: Path) -> None:
    """Remove the last chunk of a PNG file, which has no pixels."""
    (root / "raw/03.png").write_bytes((root / "raw/03.png").read_bytes()[:-12])


def place_noses_in_the_corner(table: pd.DataFrame, root: Path) -> None:
    """Move the nose to 0, 0 in rows 3 to 5, of which 4 and 5 are warnings: their boxes include it."""
    table.loc[3:5, ["nose_x", "nose_y"]] = 0.0
    table.loc[3, ["box_x0", "box_x1"]] = [33.0, 67.0]
    table.loc[4:5, ["box_x0", "box_y0"]] = 0.0


def test_a_valid_table_passes_unchanged(table: pd.DataFrame, root: Path) -> None:
    result = run(table, root)
    pd.testing.assert_frame_equal(result.table, table)
    assert result.quarantine.empty
    assert result.warnings.empty
    for listing in (result.quarantine, result.warnings):
        assert list(listing.columns) == ["id", "image", "rule", "value", "reason"]
    assert result.summary == {
        "passed": True,
        "failures": [],
        "rows": {"train": 10, "val": 4, "test": 6},
        "groups": {"train": 5, "val": 2, "test": 3},
        "sources": {"raw": 20},
        "quarantined_rows": 0,
        "quarantined": {rule.name: 0 for rule in QUARANTINE.rules},
        "warnings": {rule.name: 0 for rule in WARNINGS.rules},
        "findings": [],
    }
    assert result.findings == ()


QUARANTINE_CASES: list[tuple[str, str, Change]] = [
    ("unreadable_image", "No such file or directory", remove_image),
    ("unreadable_image", "not an image, damaged or truncated", truncate_image),
    ("image_size", "100x81, 100x80", set_values(height=81)),
    ("no_joints", "0", set_values(**dict.fromkeys(JOINT_COLUMNS, np.nan))),
    ("incomplete_joint", "1", set_values(lwri_y=np.nan)),
    ("short_torso", "3.28", shrink),
    ("joint_outside_image", "1.5", set_values(lwri_x=100.5)),
    # Torso from (60, 30) to (57, 50): 20.22 px; lower arm from (34, 70) to (99, 79): 65.62 px.
    ("long_limb", "3.24", set_values(rhip_x=57, rhip_y=50, relb_x=34, relb_y=70, rwri_x=99, rwri_y=79)),
    ("invalid_bbox", "-10", set_values(box_x0=90)),
    ("wrong_coordinates", "all joints are outside the bounding box", set_values(box_x0=0, box_x1=4, box_y0=40)),
    (
        "identical_joints",
        "6 of 11 joints are at 50, 40",
        set_values(
            **{f"{j}_{a}": v for j in JOINTS if j[1:] in ("elb", "wri", "eye") for a, v in (("x", 50), ("y", 40))}
        ),
    ),
    ("placeholder", "nose at 0, 0 (3 rows of the file)", place_noses_in_the_corner),
    ("duplicate", "p02", set_values(image="raw/02.png")),
]


@pytest.mark.parametrize(("rule", "value", "change"), QUARANTINE_CASES)
def test_an_invalid_row_is_quarantined(
    table: pd.DataFrame, root: Path, rule: str, value: str, change: Change
) -> None:
    change(table, root)
    result = run(table, root)
    reason = next(other.reason for other in QUARANTINE.rules if other.name == rule)
    assert result.quarantine.to_numpy().tolist() == [["p03", table["image"][3], rule, value, reason]]
    assert result.table["id"].tolist() == [id_ for id_ in table["id"] if id_ != "p03"]
    assert result.summary["quarantined"] == {other.name: int(other.name == rule) for other in QUARANTINE.rules}
    assert result.summary["quarantined_rows"] == 1
    assert result.summary["rows"] == {"train": 9, "val": 4, "test": 6}


def test_every_quarantine_rule_is_tested() -> None:
    assert {rule for rule, _, _ in QUARANTINE_CASES} == {rule.name for rule in QUARANTINE.rules}


def test_a_row_that_breaks_two_rules_is_listed_twice_and_rows_keep_their_order(
    table: pd.DataFrame, root: Path
) -> None:
    set_values(lwri_x=120, box_x0=90)(table, root)
    table.loc[1, "box_x1"] = 19
    result = run(table, root)
    assert result.quarantine[["id", "rule", "value"]].to_numpy().tolist() == [
        ["p01", "invalid_bbox", "-1"],
        ["p03", "joint_outside_image", "21"],
        ["p03", "invalid_bbox", "-10"],
    ]
    assert result.summary["quarantined_rows"] == 2


def enlarge_training_image(table: pd.DataFrame, root: Path) -> None:
    """Replace the image of p19 (test) by that of p03 (train), twice as large."""
    image = cv2.imread(str(root / "raw/03.png"))
    cv2.imwrite(str(root / "raw/19.png"), cv2.resize(image, (200, 160)))
    table.loc[19, ["width", "height"]] = [200, 160]


def move_to_nearby_frames(table: pd.DataFrame, root: Path) -> None:
    """Move p18 and p19 (test) to the film of p03 (train), 10 and 11 frames after it."""
    for row, name in [(18, "13"), (19, "14")]:
        (root / table["image"][row]).rename(root / f"raw/film-{name}.png")
        table.loc[row, ["image", "group"]] = [f"raw/film-{name}.png", table["group"][3]]
    table.loc[2, "group"] = "another"


WARNING_CASES: list[tuple[str, dict[str, str], Change]] = [
    (
        "truncated_image",
        {"p03": "is truncated; 80 of 80 rows could be decoded"},
        remove_the_end_of_an_image,
    ),
    ("sides_swapped", {"p03": "60, 60.5"}, set_values(rsho_x=60.5)),
    # With the hips swapped, the sides of the body are 36.22 px long, their diagonals 39.40 px, and the torso is
    # 36.22 px.
    ("pair_swapped", {"p03": "0.18"}, set_values(lhip_x=44, rhip_x=56)),
    # The right upper arm is 16.16 px long, the left one 3.
    ("asymmetric_limbs", {"p03": "5.39"}, set_values(lelb_x=60, lelb_y=33)),
    ("joints_missing", {"p03": "10"}, set_values(leye_x=np.nan, leye_y=np.nan)),
    ("torso_missing", {"p03": "empty"}, set_values(rhip_x=np.nan, rhip_y=np.nan)),
    # p03 (train) is moved to the image of p19 (test), 30 px to the side, which is also the same frame.
    (
        "several_splits",
        {"p03": "2", "p19": "2"},
        set_values(image="raw/19.png", group="film", **{f"{j}_x": POSE[j][0] + 30 for j in JOINTS}),
    ),
    ("nearby_frame", {"p18": "10"}, move_to_nearby_frames),
    ("near_duplicate", {"p19": "raw/03.png"}, enlarge_training_image),
    # 11 px to the side is 0.28 torso diameters; 12 px would be 0.305.
    ("empty_bbox", {"p03": "20, 5, 20, 75"}, set_values(box_x1=20)),
    ("suspicious_coordinates", {"p03": "the bounding box extends 15 px beyond the image"}, set_values(box_x1=115)),
    (
        "suspicious_joints",
        {"p03": "3 of 11 joints are at 44, 66"},
        set_values(lhip_x=44, lhip_y=66, lwri_x=44, lwri_y=66),
    ),
    ("possible_placeholder", {"p03": "nose at 0, 0 (1 row of the file)"}, set_values(nose_x=0, nose_y=0)),
    (
        "annotated_twice",
        {"p02": "0.28", "p03": "0.28"},
        set_values(image="raw/02.png", **{f"{j}_x": POSE[j][0] + 11 for j in JOINTS}),
    ),
]

ADDITIONAL_WARNINGS = {"torso_missing": ["joints_missing"], "several_splits": ["near_duplicate"]}


@pytest.mark.parametrize(("rule", "values", "change"), WARNING_CASES)
def test_a_suspicious_row_is_listed_and_kept(
    table: pd.DataFrame, root: Path, rule: str, values: dict[str, str], change: Change
) -> None:
    change(table, root)
    result = run(table, root)
    listed = result.warnings[result.warnings["rule"] == rule]
    assert dict(zip(listed["id"], listed["value"], strict=True)) == values
    expected = {other.name: 0 for other in WARNINGS.rules} | {rule: len(values)}
    expected |= {other: 1 for other in ADDITIONAL_WARNINGS.get(rule, [])}
    assert result.summary["warnings"] == expected
    assert result.quarantine.empty
    without_box = result.table[BOX_COLUMNS].isna().all(axis=1)
    assert result.table["id"][without_box].tolist() == (["p03"] if rule == "empty_bbox" else [])
    columns = [column for column in COLUMNS if column not in BOX_COLUMNS]
    pd.testing.assert_frame_equal(result.table[columns], table[columns])


def test_a_warning_names_image_and_reason(table: pd.DataFrame, root: Path) -> None:
    set_values(rsho_x=60.5)(table, root)
    reason = "the left shoulder is left of the right one (x of both): seen from behind, or sides swapped"
    warnings = run(table, root).warnings.to_numpy().tolist()
    assert warnings == [["p03", "raw/03.png", "sides_swapped", "60, 60.5", reason]]


def test_every_warning_rule_is_tested() -> None:
    assert {rule for rule, _, _ in WARNING_CASES} == {rule.name for rule in WARNINGS.rules}


def test_neighbouring_instances_are_not_one_person(table: pd.DataFrame, root: Path) -> None:
    set_values(image="raw/02.png", **{f"{j}_x": POSE[j][0] + 12 for j in JOINTS})(table, root)
    assert run(table, root).summary["warnings"]["annotated_twice"] == 0


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda t: t.drop(columns=["lsho_x", "id"]), r"columns: .* lacks columns \(missing: id, lsho_x\)"),
        (lambda t: t.drop(columns="split"), r"columns: .* \(missing: split\)"),
        (lambda t: t.iloc[:0], r"not_empty: the annotation table has no rows \(found 0\)"),
        (
            lambda t: t.assign(id=["twin", "twin", *t["id"][2:]]),
            r"id_unique: .* \(2 of 20 rows, first twin\)",
        ),
        (
            lambda t: t.assign(group=[None, *t["group"][1:]]),
            r"group_not_null: .* \(1 of 20 rows, first p00: empty\)",
        ),
        (lambda t: t.assign(split="dev"), r"split_valid: .* \(20 of 20 rows, first p00: dev\)"),
        (lambda t: t.assign(width=0), r"width_positive: .* \(20 of 20 rows, first p00: 0\)"),
        (lambda t: t.assign(height="tall"), r"height_positive: .* \(could not be evaluated\)"),
        (lambda t: t.assign(nose_x="left"), r"column 'nose_x' contains values that are not numbers"),
        (lambda t: t[t["split"] != "test"], r"required_splits: .* \(missing: test\)"),
        (lambda t: t[t["split"] == "test"], r"required_splits: .* \(missing: train\)"),
        (
            lambda t: t.assign(box_x1=[0] * 3 + [80] * 17),
            r"failed: quarantined_fraction: 15 % of the rows are in quarantine \(at most 10 % are allowed\); "
            r"rows in quarantine: invalid_bbox 3",
        ),
    ],
)
def test_a_failed_condition_is_one_line_with_the_observed_value(
    table: pd.DataFrame, root: Path, change: Callable[[pd.DataFrame], pd.DataFrame], line: str
) -> None:
    with pytest.raises(InputError, match=line + "$") as error:
        run(change(table), root)
    assert "\n" not in str(error.value)


def test_a_tenth_in_quarantine_is_allowed(table: pd.DataFrame, root: Path) -> None:
    table.loc[:1, "box_x1"] = 0
    assert run(table, root).summary["quarantined_rows"] == 2


def test_failed_postconditions_are_in_the_summary_and_raised_on_request(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    line = r"quarantined_fraction: 100 % of .*; required_splits: .*missing: test, train\); .*: unreadable_image 20$"
    with pytest.raises(InputError, match=line):
        run(table, tmp_path)
    result = validate(table, tmp_path)
    assert not result.summary["passed"]
    assert len(result.summary["failures"]) == 2
    assert result.summary["quarantined"]["unreadable_image"] == len(result.quarantine) == PEOPLE
    assert result.table.empty
    assert list(result.table.columns) == [*COLUMNS, REPLACES]


def test_validation_is_reproducible(table: pd.DataFrame, root: Path) -> None:
    set_values(lwri_x=120, image="raw/02.png")(table, root)
    first, second = (run(table.copy(), root) for _ in range(2))
    assert json.dumps(first.summary) == json.dumps(second.summary)
    pd.testing.assert_frame_equal(first.quarantine, second.quarantine)


def test_a_rule_that_cannot_be_evaluated_does_not_pass(
    table: pd.DataFrame, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typo = Rule("typo", gxe.ExpectColumnValuesToBeBetween(column="torso_diametre", min_value=5), "no such column")
    monkeypatch.setattr("splitpose.validation.result.QUARANTINE", Suite("quarantine", "warning", (typo,)))
    with pytest.raises(RuntimeError, match="rule typo could not be evaluated"):
        run(table, root)


def test_data_docs_contain_every_suite_and_are_replaced(table: pd.DataFrame, root: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for _ in range(2):
        run(table, root, data_docs=docs)
    assert (docs / "index.html").is_file()
    pages = list((docs / "validations").rglob("*.html"))
    suites = sorted(page.relative_to(docs / "validations").parts[0] for page in pages)
    assert suites == sorted(suite.name for suite in (PRECONDITIONS, QUARANTINE, WARNINGS, POSTCONDITIONS))
    assert "a limb is longer than 3 torso diameters" in (docs / "expectations/quarantine.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "docs"]


def test_data_docs_are_built_if_a_precondition_fails(table: pd.DataFrame, root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="id_unique"):
        run(table.assign(id="same"), root, data_docs=tmp_path / "docs")
    assert (tmp_path / "docs/index.html").is_file()


def test_data_docs_do_not_replace_other_files(table: pd.DataFrame, root: Path) -> None:
    with pytest.raises(InputError, match="choose a new folder"):
        run(table, root, data_docs=root)
    assert len(list((root / "raw").iterdir())) == PEOPLE


def test_sources_are_counted(table: pd.DataFrame, root: Path) -> None:
    (root / "incoming/monday").mkdir(parents=True)
    for row in (3, 4):
        (root / table["image"][row]).rename(root / f"incoming/monday/{row}.png")
        table.loc[row, "image"] = f"incoming/monday/{row}.png"
    assert run(table, root).summary["sources"] == {"incoming/monday": 2, "raw": 18}


def test_the_image_scan_is_the_cache_of_the_next_validation(
    table: pd.DataFrame, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(table, root)
    monkeypatch.setattr("splitpose.images.decode", None)
    again = run(table, root, image_scan=first.image_scan)
    pd.testing.assert_frame_equal(again.image_scan, first.image_scan)
    assert again.summary == first.summary


def test_splits_can_be_optional(table: pd.DataFrame, root: Path) -> None:
    train = table.assign(split="train")
    assert not validate(train, root).summary["passed"]
    assert validate(train, root, require_splits=False).summary["passed"]


def flic_sized_table() -> pd.DataFrame:
    """A table with as many rows and images as FLIC has, some of them in val, and 10 incoming rows."""
    train = pd.DataFrame({"split": "train", "image": [f"raw/a{i % 3628}.jpg" for i in range(3987)]})
    train.loc[:600, "split"] = "val"
    test = pd.DataFrame({"split": "test", "image": [f"raw/b{i % 926}.jpg" for i in range(1016)]})
    new = pd.DataFrame({"split": "train", "image": [f"incoming/c{i}.jpg" for i in range(10)]})
    table = pd.concat([train, test, new], ignore_index=True)
    values = {"width": 720, "height": 480, "group": "film", **dict.fromkeys([*BOX_COLUMNS, *JOINT_COLUMNS], np.nan)}
    return cast_columns(table.assign(id=[f"p{i}" for i in range(len(table))], **values))


def test_published_counts_of_flic(table: pd.DataFrame, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("splitpose.validation.result._validate_rows", lambda *arguments: "validated")
    flic = flic_sized_table()
    assert validate(flic, root, edition="FLIC") == "validated"
    line = (
        r"train_rows: FLIC has 3,987 training rows \(found 3986\); "
        r"train_images: FLIC's training rows have 3,628 images \(found 3627\)$"
    )
    with pytest.raises(InputError, match=line):
        validate(flic.drop(index=3000), root, edition="FLIC")
    with pytest.raises(InputError, match=r"failed: test_rows: FLIC has 1,016 test rows \(found 1015\)$"):
        validate(flic.drop(index=3987), root, edition="FLIC")
    renamed = flic.assign(image=flic["image"].replace("raw/b500.jpg", "raw/b501.jpg"))
    with pytest.raises(InputError, match=r"failed: test_images: .* 926 images \(found 925\)$"):
        validate(renamed, root, edition="FLIC")
    for edition in (None, "FLIC-full"):
        assert validate(table, root, edition=edition) == "validated"
