from typing import Any

from support.synthetic_report import behaviour, intervals, percentages, readings

from splitpose.evaluation.slices import TOO_FEW
from splitpose.report import score_tables

WHO = "made-up people"


def difference(value: float, low: float, high: float, verdict: str) -> dict[str, Any]:
    return {"difference": value, "ci95": [low, high], "verdict": verdict}


def test_differences_have_signs_intervals_and_verdicts() -> None:
    found = {
        "mean": difference(1.5, 0.3, 2.7, "better"),
        "elbow": difference(-2.0, -3.0, -1.0, "worse"),
        "wrist": difference(0.5, -1.0, 2.0, "not distinguishable"),
    }
    other = {"mean": None, "elbow": None, "wrist": None}
    table = score_tables.differences(
        [{"variant": "final", "against": "baseline", "n": 40, "pck": {"0.1": other, "0.2": found}}], WHO
    )
    assert table.headers == ("variants", "mean", "elbow", "wrist")
    assert table.rows == (
        (
            "final against baseline",
            "+1.5 better\n+0.3 to +2.7",
            "-2.0 worse\n-3.0 to -1.0",
            "+0.5 not distinguishable\n-1.0 to +2.0",
        ),
    )
    assert table.title == "Which is better, PCK@0.2 (made-up people)"


def test_a_difference_of_nobody_is_a_dash() -> None:
    of_nobody = {"mean": None, "elbow": None, "wrist": None}
    found = [{"variant": "final", "against": "baseline", "n": 0, "pck": {"0.2": of_nobody}}]
    assert score_tables.differences(found, WHO).rows == (("final against baseline", "–", "–", "–"),)


def test_one_variant_has_nothing_to_be_compared_with() -> None:
    assert score_tables.differences([], WHO).rows == ()


def part(name: str, people: int, mean: float) -> dict[str, Any]:
    scores = {"pck": percentages(mean), "ci95": intervals(mean), "note": None}
    return {"slice": "torso size", "value": name, "n": people, **scores}


def test_slices_have_a_row_a_part_and_a_column_a_variant() -> None:
    found = {
        "baseline": [part("small", 50, 70.0), part("large", 60, 80.0)],
        "final": [part("small", 50, 75.0), part("large", 60, 85.0)],
    }
    table = score_tables.slices(found, WHO)
    assert table.headers == ("part", "people", "baseline", "final")
    assert table.rows == (
        ("torso size: small", "50", "70.0\n69.0–71.0", "75.0\n74.0–76.0"),
        ("torso size: large", "60", "80.0\n79.0–81.0", "85.0\n84.0–86.0"),
    )
    assert WHO in table.title
    assert "fewer than" not in table.note


def test_slices_of_too_few_people_have_no_score_and_the_note_says_why() -> None:
    few = {"slice": "wrists", "value": "one above its shoulder", "n": 29, **TOO_FEW}
    table = score_tables.slices({"baseline": [few, few], "final": [few, few]}, WHO)
    assert table.rows[0] == ("wrists: one above its shoulder", "29", "–", "–")
    assert table.note.endswith("may be chance. –: fewer than 30 people.")


def test_slices_of_one_picture_have_a_score_without_an_interval() -> None:
    one = part("small", 50, 70.0) | {"ci95": None}
    assert score_tables.slices({"final": [one]}, WHO).rows == (("torso size: small", "50", "70.0"),)


def test_readings_are_told_beside_the_headline() -> None:
    table = score_tables.readings(
        {"baseline": readings("baseline"), "final": readings("final")}, {"baseline": 8.0, "final": None}, WHO
    )
    assert table.headers == ("reading", "PCK@0.2", "gain @0.2", "gain @0.1", "gain @0.05", "ms")
    gain = "+2.0\n-0.5 to +4.5"
    assert table.rows == (
        ("baseline: coordinates (headline)", "80.0\n79.0–81.0", "–", "–", "–", "8.00"),
        ("baseline: coordinates + flip test", "82.0\n81.0–83.0", gain, gain, gain, "16.00"),
        ("final: argmax (headline)", "90.0\n89.0–91.0", "–", "–", "–", "–"),
        ("final: argmax + flip test", "92.0\n91.0–93.0", gain, gain, gain, "–"),
    )
    assert WHO in table.title


def test_behaviour_says_what_holds() -> None:
    table = score_tables.behaviour({"baseline": behaviour("baseline"), "final": behaviour("final")}, WHO)
    assert table.headers == ("variant", "mirrored", "shifted", "darker", "blurrier")
    falls = ("90 → 85\nholds", "90 → 70\nholds")
    assert table.rows == (
        ("baseline", "0.061\nholds", "0.10\nDOES NOT HOLD", *falls),
        ("final", "0.061\nholds", "0.75\nholds", *falls),
    )
    assert WHO in table.title


def test_equal_bounds_are_told_once() -> None:
    note = score_tables.behaviour({"final": behaviour("final")}, WHO).note
    assert note.endswith("What must hold: mirrored: stays near; shifted: follows; darker, blurrier: falls slowly.")


def test_how_far_annotators_agree() -> None:
    at = {"mean": 90.0, "elbow": 100.0, "wrist": 50.0, "lhip": 80.0, "rhip": None}
    intervals = {"mean": [85.0, 95.0], "elbow": [100.0, 100.0], "wrist": [40.0, 60.0], "lhip": None, "rhip": None}
    found = {
        "pairs": 82,
        "torso": "lsho-rhip",
        "pck": {"0.05": at, "0.2": at},
        "ci95": {"0.05": intervals, "0.2": intervals},
    }
    nobody: dict[str, Any] = {"pairs": 0, "torso": "lsho-rhip", "pck": {}, "ci95": {}}
    table = score_tables.label_ceiling({"test": found, "train": nobody}, WHO)
    assert table is not None
    assert WHO in table.title
    cells = ("90.0\n85.0–95.0", "100.0\n100.0–100.0", "50.0\n40.0–60.0", "80.0", "–")
    assert table.rows == (("test", "82", "@0.2", *cells), ("test", "82", "@0.05", *cells))
    assert score_tables.label_ceiling({"test": nobody, "train": nobody}, WHO) is None
