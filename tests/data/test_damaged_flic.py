"""Any damage to FLIC's archive ends in a one-line error or in quarantine; no row is lost silently."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.damaged_flic import INVALID_FIELDS, INVALID_FILES, QUARANTINED, numbers
from support.flic_archive import PEOPLE, row, save, valid_rows, write_images

from splitpose.data import flic
from splitpose.errors import InputError
from splitpose.validation import ValidationResult, validate


def read_error(root: Path) -> str:
    with pytest.raises(InputError) as caught:
        flic.read(root, "observer")
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(str(root / "FLIC" / "examples.mat"))
    return line


@pytest.mark.parametrize(("field", "value", "expected"), INVALID_FIELDS)
def test_an_error_names_row_and_field(tmp_path: Path, field: str, value: Any, expected: str) -> None:
    rows = valid_rows()
    rows[7][field] = value
    assert f"examples.mat: row 7, {field}: {expected}" in read_error(save(tmp_path, *rows))


def test_a_row_in_both_splits_is_an_error(tmp_path: Path) -> None:
    rows = valid_rows()
    rows[7]["istest"] = numbers(1)
    assert "examples.mat: row 7, istrain and istest: both are 1" in read_error(save(tmp_path, *rows))


@pytest.mark.parametrize(
    ("change", "expected"), [case[1:] for case in INVALID_FILES], ids=[c[0] for c in INVALID_FILES]
)
def test_an_invalid_file_is_an_error(tmp_path: Path, change: Callable[[Path], None], expected: str) -> None:
    change(save(tmp_path, *valid_rows()) / "FLIC" / "examples.mat")
    assert expected in read_error(tmp_path)


def test_rows_in_neither_split_are_counted(tmp_path: Path) -> None:
    rows = valid_rows()
    rows[7]["istrain"] = numbers(0)
    result = flic.read(save(tmp_path, *rows), "observer")
    assert len(result.table) == PEOPLE - 1
    assert result.skipped == {"in neither split": 1}


def read_and_validate(root: Path, rows: list[dict[str, Any]]) -> ValidationResult:
    table = flic.read(save(root, *rows), "observer").table
    assert len(table) == PEOPLE
    return validate(table, root)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> ValidationResult:
    """The valid archive with row k damaged by entry k of QUARANTINED, and the last rows unchanged."""
    root = tmp_path_factory.mktemp("damaged")
    rows = valid_rows()
    write_images(root, rows)
    for number, (_, change, _) in enumerate(QUARANTINED):
        change(rows, number, root / "FLIC" / "images")
    return read_and_validate(root, rows)


@pytest.mark.parametrize("number", range(len(QUARANTINED)), ids=[name for name, _, _ in QUARANTINED])
def test_a_damaged_row_is_quarantined(damaged: ValidationResult, number: int) -> None:
    quarantine = damaged.quarantine[damaged.quarantine["id"].str.endswith(f"-{number:08}-{number}")]
    assert set(quarantine["rule"]) == QUARANTINED[number][2]
    assert not damaged.table["id"].isin(quarantine["id"]).any()


def test_other_rows_are_kept(damaged: ValidationResult) -> None:
    assert list(damaged.table["id"]) == [f"film-2-{n:08}-{n}" for n in range(len(QUARANTINED), PEOPLE)]


def test_no_row_of_a_valid_archive_is_quarantined(tmp_path: Path) -> None:
    rows = valid_rows()
    write_images(tmp_path, rows)
    result = read_and_validate(tmp_path, rows)
    assert result.quarantine.empty
    assert result.summary["passed"]
    assert result.summary["rows"] == {"train": 20, "val": 0, "test": 10}


def test_a_missing_image_does_not_affect_other_rows(tmp_path: Path) -> None:
    rows = valid_rows()
    write_images(tmp_path, rows)
    (tmp_path / "FLIC" / "images" / rows[3]["filepath"]).unlink()
    result = read_and_validate(tmp_path, rows)
    assert list(result.quarantine["rule"]) == ["unreadable_image"]
    assert result.summary["passed"]
    assert len(result.table) == PEOPLE - 1


def test_every_field_is_damaged() -> None:
    assert {field for field, _, _ in INVALID_FIELDS} == set(row()) - {"poselet_hit_idx"}
