"""No damage of FLIC's archive ends in a traceback or in a row that is lost unsaid."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.damaged_flic import QUARANTINED, REFUSED_FIELDS, REFUSED_FILES, numbers
from support.flic_archive import PEOPLE, draw, good, row, save

from splitpose import validation
from splitpose.data import flic
from splitpose.errors import InputError
from splitpose.validation import ValidationResult


def refusal(root: Path) -> str:
    with pytest.raises(InputError) as caught:
        flic.read(root, "observer")
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(str(root / "FLIC" / "examples.mat"))
    return line


@pytest.mark.parametrize(("field", "value", "said"), REFUSED_FIELDS)
def test_a_damaged_field_is_refused_by_row_and_field(tmp_path: Path, field: str, value: Any, said: str) -> None:
    rows = good()
    rows[7][field] = value
    assert f"examples.mat: row 7, {field}: {said}" in refusal(save(tmp_path, *rows))


def test_a_row_in_both_splits_is_refused(tmp_path: Path) -> None:
    rows = good()
    rows[7]["istest"] = numbers(1)
    assert "examples.mat: row 7, istrain and istest: both are set" in refusal(save(tmp_path, *rows))


@pytest.mark.parametrize(
    ("change", "said"), [case[1:] for case in REFUSED_FILES], ids=[c[0] for c in REFUSED_FILES]
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: Callable[[Path], None], said: str) -> None:
    change(save(tmp_path, *good()) / "FLIC" / "examples.mat")
    assert said in refusal(tmp_path)


def test_rows_of_no_split_are_counted(tmp_path: Path) -> None:
    rows = good()
    rows[7]["istrain"] = numbers(0)
    reading = flic.read(save(tmp_path, *rows), "observer")
    assert len(reading.table) == PEOPLE - 1
    assert reading.left_out == {"in neither split": 1}


def verdict(root: Path, rows: list[dict[str, Any]]) -> ValidationResult:
    reading = flic.read(save(root, *rows), "observer")
    assert len(reading.table) == PEOPLE
    return validation.inspect(reading.table, root, None)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> ValidationResult:
    """The good archive with row k damaged by entry k of QUARANTINED, and the last rows left as they are."""
    root = tmp_path_factory.mktemp("damaged")
    rows = good()
    draw(root, rows)
    for number, (_, change, _) in enumerate(QUARANTINED):
        change(rows, number, root / "FLIC" / "images")
    return verdict(root, rows)


@pytest.mark.parametrize("number", range(len(QUARANTINED)), ids=[name for name, _, _ in QUARANTINED])
def test_a_damaged_row_goes_to_quarantine(damaged: ValidationResult, number: int) -> None:
    found = damaged.quarantine[damaged.quarantine["id"].str.endswith(f"-{number:08}-{number}")]
    assert set(found["rule"]) == QUARANTINED[number][2]
    assert not damaged.table["id"].isin(found["id"]).any()


def test_rows_beside_damaged_ones_stay(damaged: ValidationResult) -> None:
    assert list(damaged.table["id"]) == [f"film-2-{n:08}-{n}" for n in range(len(QUARANTINED), PEOPLE)]


def test_nothing_of_a_good_archive_is_quarantined(tmp_path: Path) -> None:
    rows = good()
    draw(tmp_path, rows)
    found = verdict(tmp_path, rows)
    assert found.quarantine.empty
    assert found.summary["passed"]
    assert found.summary["rows"] == {"train": 20, "val": 0, "test": 10}


def test_one_bad_row_does_not_stop_the_others(tmp_path: Path) -> None:
    rows = good()
    draw(tmp_path, rows)
    (tmp_path / "FLIC" / "images" / rows[3]["filepath"]).unlink()
    found = verdict(tmp_path, rows)
    assert list(found.quarantine["rule"]) == ["picture"]
    assert found.summary["passed"]
    assert len(found.table) == PEOPLE - 1


def test_every_field_is_damaged_here() -> None:
    assert {field for field, _, _ in REFUSED_FIELDS} == set(row()) - {"poselet_hit_idx"}
