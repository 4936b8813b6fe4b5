from copy import deepcopy

from support.synthetic_report import comparison

from splitpose.report.previous_table import previous_table


def test_values_and_their_changes() -> None:
    before = comparison()
    final = before["variants"]["final"]
    final["pck"]["0.2"]["mean"] = 88.8
    final["tflite"]["int8"] |= {"pck_0.2_mean": 90.0, "p50_ms": 3.25, "bytes": 500_000}
    table = previous_table(comparison(), before)
    assert table.headers == ("variant", "PCK@0.2", "int8 PCK@0.2", "int8 p50 ms", "int8 MB")
    assert table.rows == (
        ("baseline", "80.0\n+0.0", "79.5\n+0.0", "3.00\n+0.00", "1.00\n+0.00"),
        ("final", "90.0\n+1.2", "89.5\n-0.5", "3.00\n-0.25", "1.00\n+0.50"),
    )
    assert "synthetic people" in table.title


def test_the_note_states_the_number_of_seeds() -> None:
    note = previous_table(comparison(repeats=3), comparison()).note
    assert note.endswith("PCK@0.2 is now the mean over 3 seeds, int8 the exported repeat's.")
    assert "seeds" not in previous_table(comparison(), comparison(repeats=3)).note


def test_new_and_removed_variants() -> None:
    before = comparison()
    before["variants"]["old"] = before["variants"].pop("baseline")
    rows = {row[0]: row[1] for row in previous_table(comparison(), before).rows}
    assert rows == {"baseline": "80.0\nnew", "final": "90.0\n+0.0", "old": "–\nremoved"}


def test_missing_numbers_and_tiny_changes() -> None:
    before, now = comparison(), deepcopy(comparison())
    before["variants"]["final"]["pck"] = {}
    now["variants"]["baseline"]["pck"]["0.2"]["mean"] -= 0.01  # not "-0.0"
    rows = {row[0]: row[1] for row in previous_table(now, before).rows}
    assert rows == {"baseline": "80.0\n+0.0", "final": "90.0\nnew"}
