from support.synthetic_report import person_detection

from splitpose.report.detection_table import detection_table


def test_one_row_per_file_with_a_threshold() -> None:
    table = detection_table({name: person_detection(name) for name in ("baseline", "final")}, "synthetic people")
    assert table is not None
    assert table.rows == tuple(
        (f"final, {precision}", "0.750", "0 of 20, 0 of 20", "0 of 20, 1 of 20")
        for precision in ("float32", "float16", "int8")
    )
    assert "images without people (rendered)" in table.note


def test_no_table_without_a_threshold() -> None:
    assert detection_table({"baseline": person_detection("baseline")}, "synthetic people") is None
