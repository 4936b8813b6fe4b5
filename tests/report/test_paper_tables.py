import re

from support.synthetic_report import comparison

from splitpose.report import paper_results
from splitpose.report.paper_tables import paper_tables

PROTOCOL = {"viewpoint": "observer", "flip_test": False}


def test_published_rows_are_those_of_the_paper() -> None:
    first, second, third = paper_tables(comparison("flic"), PROTOCOL)
    assert first.rows[3] == ("Wei et al.", "97.6", "95.0", "published")
    assert first.rows[6] == ("baseline", "80.0\n79.0–81.0", "70.0\n69.0–71.0", "profile flic")
    assert second.rows[2] == ("Final", "97.3", "12", "2.3", "26", "published")
    assert second.rows[4] == ("final", "90.0\n89.0–91.0", "8.0", "2.12", "4.00", "profile flic")
    assert third.rows[1] == ("GAP removed", "2.40e-05", "1.04e-03", "95.9", "published")


def test_every_row_names_its_source() -> None:
    for table, published in zip(paper_tables(comparison(), PROTOCOL), (6, 3, 3), strict=True):
        ours = len(table.rows) - published
        assert ours > 0
        assert [row[-1] for row in table.rows] == ["published"] * published + ["synthetic people"] * ours


def test_table_3_has_only_the_variants_of_the_paper() -> None:
    third = paper_tables(comparison(), PROTOCOL)[2]
    assert [row[0] for row in third.rows] == ["Baseline", "GAP removed", "Split", "baseline"]
    assert {row.variant for row in paper_results.TABLE_3} == {"baseline", "no_gap", "split"}


def test_other_data_than_flic_is_not_comparable() -> None:
    for profile, data in (("sample", "synthetic people"), ("coco", "profile coco")):
        for table in paper_tables(comparison(profile), PROTOCOL):
            assert table.note.startswith(
                f"Published rows are from FLIC, ours from {data}: they are not comparable. "
            )
    for table in paper_tables(comparison("flic"), PROTOCOL):
        assert "not comparable" not in table.note


def test_several_seeds_are_noted() -> None:
    note = paper_tables(comparison(repeats=3), {"viewpoint": "observer", "flip_test": False})[0].note
    assert note.startswith("Our PCK is the mean over 3 seeds, with its 95 % interval over people and seeds;")


def test_the_persons_viewpoint_is_noted() -> None:
    for profile in ("sample", "flic", "coco"):
        own = paper_tables(comparison(profile), PROTOCOL | {"viewpoint": "person"})
        for table, observers in zip(own, paper_tables(comparison(profile), PROTOCOL), strict=True):
            assert "the observer's in published rows, the person's own in ours" in table.note
            assert table.rows == observers.rows
            assert "observer" not in observers.note
        assert own[0].note.startswith("Published rows are from FLIC") == (profile != "flic")


def test_the_flip_test_doubles_the_milliseconds() -> None:
    once, twice = (
        paper_tables(comparison("flic"), PROTOCOL | {"flip_test": flip_test})[1] for flip_test in (False, True)
    )
    assert [row[2] for row in once.rows] == ["10", "10", "12", "8.0", "8.0"]
    assert [row[2] for row in twice.rows] == ["10", "10", "12", "16.0", "16.0"]
    assert "twice its p50, for the flip test's two passes, on the benchmark's device." in twice.note
    assert "TFLite file, its p50 on the benchmark's device." in once.note
    assert "flip test" not in once.note


def test_no_table_claims_a_better_variant() -> None:
    for table in paper_tables(comparison(), PROTOCOL):
        assert not re.search(r"\b(better|worse|best|worst)\b", table.title + table.note)
