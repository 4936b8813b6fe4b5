import math
import re

import pytest
from support.synthetic_report import VARIANTS, comparison, metrics

from splitpose.report import tables


def test_accuracy_row() -> None:
    table = tables.accuracy_table(comparison())
    assert table.headers[3:9] == ("PCK@0.2", "elbow", "wrist", "PCK@0.1", "PCK@0.05", "AUC@0.2")
    assert table.rows[1] == (
        "final",
        "2.12",
        "732",
        "90.0\n89.0–91.0",
        "90.0\n89.0–91.0",
        "80.0\n79.0–81.0",
        "60.0\n59.0–61.0",
        "30.0\n29.0–31.0",
        "45.0\n44.0–46.0",
    )


def test_several_seeds_have_a_mean_an_interval_and_a_range() -> None:
    table = tables.accuracy_table(comparison(repeats=3))
    row = dict(zip(table.headers, table.rows[1], strict=True))
    assert row["PCK@0.2"] == "90.0\n89.0–91.0\n[88.0–92.0]"
    assert row["wrist"] == "80.0\n79.0–81.0\n[78.0–82.0]"
    assert row["AUC@0.2"] == "45.0\n44.0–46.0\n[43.0–47.0]"
    assert "Mean over 3 seeds; second line: 95 % interval over people and seeds; in brackets" in table.note
    assert "exported repeat" in tables.tflite_table(comparison(repeats=3)).note


def test_one_seed_is_stated() -> None:
    note = tables.accuracy_table(comparison()).note
    assert "Second line: 95 % interval over people; each variant was trained from one seed." in note
    assert "exported repeat" not in tables.tflite_table(comparison()).note


def test_files_rows() -> None:
    rows = tables.tflite_table(comparison()).rows
    assert len(rows) == 6
    assert rows[0] == ("baseline", "float32", "4.00", "80.0", "8.00", "16.00", "yes")
    assert rows[5] == ("final", "int8", "1.00", "89.5", "3.00", "6.00", "no")


def test_missing_numbers_are_a_dash() -> None:
    content = comparison()
    final = content["variants"]["final"]
    final["pck"]["0.2"].update(elbow=None, wrist=math.nan)
    final["pck"]["0.2"]["ci95"]["mean"] = None
    del final["pck"]["0.05"]
    row = tables.accuracy_table(content).rows[1]
    assert row[3:8] == ("90.0", "–", "–", "60.0\n59.0–61.0", "–")


@pytest.mark.parametrize(
    ("profile", "data"),
    [
        ("sample", "synthetic people"),
        ("sample_tiny", "synthetic people"),
        ("flic", "profile flic"),
        ("coco", "profile coco"),
    ],
)
def test_every_title_names_the_data(profile: str, data: str, capsys: pytest.CaptureFixture[str]) -> None:
    content = comparison(profile)
    assert tables.describe_data(content) == data
    for table in (tables.accuracy_table(content), tables.tflite_table(content)):
        assert table.title.endswith(f"({data})")
    tables.print_comparison(content)
    shown = " ".join(capsys.readouterr().out.split())
    assert (tables.SYNTHETIC_WARNING in shown) == tables.is_synthetic(content) == ("synthetic" in data)


def test_no_table_of_single_scores_claims_a_better_variant() -> None:
    content = comparison()
    for table in (tables.accuracy_table(content), tables.tflite_table(content)):
        assert not re.search(r"\b(better|worse|best|worst)\b", table.title + table.note)


def test_terminal_output_fits_100_columns(capsys: pytest.CaptureFixture[str]) -> None:
    content = comparison()
    content["variants"] = {f"a_longer_name_{k}": v for k, v in enumerate(content["variants"].values())}
    tables.print_comparison(content)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert re.search(r"a_longer_name_1 +2\.12 +732 +90\.0 +90\.0 +80\.0 +60\.0 +30\.0", out)
    assert "AUC" not in out
    assert "95 % interval over people; each variant was trained from one seed." in out


def test_terminal_output_with_several_seeds_fits_100_columns(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_comparison(comparison(repeats=3))
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert re.search(r"\[88\.0–92\.0\] +\[88\.0–92\.0\] +\[78\.0–82\.0\]", out)
    assert "Mean over 3 seeds" in out


def test_a_comparison_of_an_earlier_version_has_one_seed(capsys: pytest.CaptureFixture[str]) -> None:
    content = comparison()
    for variant in content["variants"].values():
        del variant["seeds"]
    tables.print_comparison(content)
    assert "each variant was trained from one seed" in capsys.readouterr().out


def test_without_drops_the_column() -> None:
    table = tables.accuracy_table(comparison()).without("AUC@0.2", "params M")
    assert "AUC@0.2" not in table.headers
    assert [row[1] for row in table.rows] == ["568", "732"]
    assert all(len(row) == len(table.headers) for row in table.rows)


TIMINGS = {"final": {"train_frozen_seconds": 60.0, "fine_tune_seconds": 300.0}}


def test_training_row() -> None:
    every = {variant: metrics(variant) for variant in VARIANTS}
    table = tables.training_table(comparison(), every, TIMINGS)
    assert table.rows == (
        ("baseline", "30", "1.57e-04", "1.67e-03", "–", "–"),
        ("final", "30", "1.57e-04", "1.67e-03", "60 s", "5 min"),
    )
    assert "not recorded" in tables.training_table(comparison(), every, {}).note
    assert "not recorded" not in table.note
    assert tables.training_table(comparison(repeats=3), every, TIMINGS).note.endswith(
        "time of each phase of all repeats. All other values are those of the exported repeat."
    )


def test_the_main_table_has_training_times_if_they_were_recorded() -> None:
    table = tables.accuracy_table(comparison(), TIMINGS)
    assert table.headers[-1] == "training"
    assert [row[-1] for row in table.rows] == ["–", "6 min"]
    partly = tables.accuracy_table(comparison(), {"final": {"fine_tune_seconds": 300.0}})
    assert [row[-1] for row in partly.rows] == ["–", "–"]
    assert "training" not in tables.accuracy_table(comparison(), {}).headers
