import math
import re

import pytest
from support.synthetic_report import comparison

from splitpose.report import tables


def test_accuracy_row() -> None:
    table = tables.accuracy(comparison())
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
        "1.57e-04",
        "1.67e-03",
    )


def test_files_rows() -> None:
    rows = tables.files(comparison()).rows
    assert len(rows) == 6
    assert rows[0] == ("baseline", "float32", "4.00", "80.0", "8.00", "16.00", "yes")
    assert rows[5] == ("final", "int8", "1.00", "89.5", "3.00", "6.00", "no")


def test_what_is_not_known_is_a_dash() -> None:
    content = comparison()
    final = content["variants"]["final"]
    final["pck"]["0.2"].update(elbow=None, wrist=math.nan)
    final["pck"]["0.2"]["ci95"]["mean"] = None
    del final["pck"]["0.05"]
    row = tables.accuracy(content).rows[1]
    assert row[3:8] == ("90.0", "–", "–", "60.0\n59.0–61.0", "–")


@pytest.mark.parametrize(
    ("profile", "who"),
    [
        ("sample", "rendered stand-in people"),
        ("sample_tiny", "rendered stand-in people"),
        ("flic", "profile flic"),
        ("coco", "profile coco"),
    ],
)
def test_every_title_says_who_was_measured(profile: str, who: str, capsys: pytest.CaptureFixture[str]) -> None:
    content = comparison(profile)
    assert tables.people(content) == who
    for table in (tables.accuracy(content), tables.files(content)):
        assert table.title.endswith(f"({who})")
    tables.terminal(content)
    said = " ".join(capsys.readouterr().out.split())
    assert (tables.STAND_IN in said) == tables.stand_in(content) == ("stand-in" in who)


def test_no_table_of_single_scores_gives_a_verdict() -> None:
    content = comparison()
    for table in (tables.accuracy(content), tables.files(content)):
        assert not re.search(r"\b(better|worse|best|worst)\b", table.title + table.note)


def test_terminal_fits_100_columns_and_says_where_to_look_next(capsys: pytest.CaptureFixture[str]) -> None:
    content = comparison()
    content["variants"] = {f"a_longer_name_{k}": v for k, v in enumerate(content["variants"].values())}
    tables.terminal(content)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert re.search(r"a_longer_name_1 +2\.12 +732 +90\.0 +90\.0 +80\.0 +60\.0 +30\.0", out)
    assert "AUC" not in out
    assert "reports/index.html" in out
    assert "make ui" in out


def test_without_drops_the_column() -> None:
    table = tables.accuracy(comparison()).without("train loss", "params M")
    assert "train loss" not in table.headers
    assert [row[1] for row in table.rows] == ["568", "732"]
    assert all(len(row) == len(table.headers) for row in table.rows)
