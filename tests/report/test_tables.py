import re

import pytest
from report.made_up import comparison

from splitpose.report import published, tables


def test_accuracy_row():
    table = tables.accuracy(comparison())
    assert table.headers[3:8] == ("PCK@0.2", "elbow", "wrist", "PCK@0.1", "PCK@0.05")
    assert table.rows[1] == (
        "final",
        "2.12",
        "732",
        "90.0\n89.0–91.0",
        "90.0\n89.0–91.0",
        "80.0\n79.0–81.0",
        "60.0\n59.0–61.0",
        "30.0\n29.0–31.0",
        "1.57e-04",
        "1.67e-03",
    )


def test_files_rows():
    rows = tables.files(comparison()).rows
    assert len(rows) == 6
    assert rows[0] == ("baseline", "float32", "4.00", "80.0", "8.00", "16.00", "yes")
    assert rows[5] == ("final", "int8", "1.00", "89.5", "3.00", "6.00", "no")


def test_what_is_not_known_is_a_dash():
    content = comparison()
    final = content["variants"]["final"]
    final["pck"]["0.2"].update(elbow=None, wrist=float("nan"))
    final["pck"]["0.2"]["ci95"]["mean"] = None
    del final["pck"]["0.05"]
    row = tables.accuracy(content).rows[1]
    assert row[3:8] == ("90.0", "–", "–", "60.0\n59.0–61.0", "–")


def test_published_rows_are_the_papers():
    first, second, third = tables.paper_tables(comparison("flic"))
    assert first.rows[3] == ("Wei et al.", "97.6", "95.0", "published")
    assert first.rows[6] == ("baseline", "80.0\n79.0–81.0", "70.0\n69.0–71.0", "profile flic")
    assert second.rows[2] == ("Final", "97.3", "12", "2.3", "26", "published")
    assert second.rows[4] == ("final", "90.0\n89.0–91.0", "8.0", "2.12", "4.00", "profile flic")
    assert third.rows[1] == ("GAP removed", "2.40e-05", "1.04e-03", "95.9", "published")


def test_table_3_holds_only_variants_that_the_paper_has_there():
    third = tables.paper_tables(comparison())[2]
    assert [row[0] for row in third.rows] == ["Baseline", "GAP removed", "Split", "baseline"]
    assert {row.variant for row in published.TABLE_3} == {"baseline", "no_gap", "split"}


@pytest.mark.parametrize(("profile", "marked"), [("sample", True), ("flic", False), ("coco", False)])
def test_stand_in_people_are_marked_everywhere(profile, marked, capsys):
    content = comparison(profile)
    for table in tables.all_tables(content):
        assert ("stand-in" in table.title + table.note) == marked
    tables.terminal(content)
    assert (tables.STAND_IN.split(".")[0] in " ".join(capsys.readouterr().out.split())) == marked


def test_numbers_of_own_data_do_not_pass_for_flics():
    assert "do not compare" in tables.paper_tables(comparison("coco"))[0].note
    assert "do not compare" not in tables.paper_tables(comparison("flic"))[0].note


def test_no_table_gives_a_verdict():
    for table in tables.all_tables(comparison()):
        assert not re.search(r"\b(better|worse|best|worst)\b", table.title + table.note)


def test_terminal_fits_100_columns_and_says_where_to_look_next(capsys):
    content = comparison()
    content["variants"] = {f"a_longer_name_{k}": v for k, v in enumerate(content["variants"].values())}
    tables.terminal(content)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert re.search(r"a_longer_name_1 +2\.12 +732 +90\.0 +90\.0 +80\.0 +60\.0 +30\.0", out)
    assert "reports/index.html" in out
    assert "make ui" in out


def test_without_drops_the_column():
    table = tables.accuracy(comparison()).without("train loss", "params M")
    assert "train loss" not in table.headers
    assert [row[1] for row in table.rows] == ["568", "732"]
    assert all(len(row) == len(table.headers) for row in table.rows)
