from typing import Any

import pytest
from support.synthetic_report import decodings, intervals, percentages, robustness

from splitpose.evaluation.slices import TOO_FEW
from splitpose.report import score_tables

DATA = "synthetic people"


def difference(value: float, low: float, high: float, outcome: str) -> dict[str, Any]:
    return {"difference": value, "ci95": [low, high], "outcome": outcome}


def pair(pck: dict[str, Any], seeds_covered: bool = False) -> dict[str, Any]:
    return {"variant": "final", "reference": "baseline", "n": 40, "seeds_covered": seeds_covered, "pck": pck}


@pytest.mark.parametrize(
    ("covered", "note"),
    [
        ((False, False), "The intervals cover people, but not the variation between seeds."),
        ((True, True), "The intervals cover people and seeds; scores are means over the seeds."),
        ((True, False), "The intervals cover people and, if both variants have several seeds, seeds."),
    ],
)
def test_the_note_on_differences_states_what_intervals_cover(covered: tuple[bool, ...], note: str) -> None:
    pck = {"0.2": dict.fromkeys(("mean", "elbow", "wrist"))}
    assert score_tables.differences_table([pair(pck, one) for one in covered], DATA).note.endswith(note)


def test_differences_have_signs_intervals_and_outcomes() -> None:
    found = {
        "mean": difference(1.5, 0.3, 2.7, "better"),
        "elbow": difference(-2.0, -3.0, -1.0, "worse"),
        "wrist": difference(0.5, -1.0, 2.0, "not distinguishable"),
    }
    other = {"mean": None, "elbow": None, "wrist": None}
    table = score_tables.differences_table([pair({"0.1": other, "0.2": found})], DATA)
    assert table.headers == ("variants", "mean", "elbow", "wrist")
    assert table.rows == (
        (
            "final vs baseline",
            "+1.5 better\n+0.3 to +2.7",
            "-2.0 worse\n-3.0 to -1.0",
            "+0.5 not distinguishable\n-1.0 to +2.0",
        ),
    )
    assert table.title == "Paired differences of PCK@0.2 (synthetic people)"


def test_an_undefined_difference_is_a_dash() -> None:
    undefined = {"mean": None, "elbow": None, "wrist": None}
    assert score_tables.differences_table([pair({"0.2": undefined})], DATA).rows == (
        ("final vs baseline", "–", "–", "–"),
    )


def test_one_variant_has_no_differences() -> None:
    assert score_tables.differences_table([], DATA).rows == ()


def slice_entry(name: str, people: int, mean: float) -> dict[str, Any]:
    scores = {"pck": percentages(mean), "ci95": intervals(mean), "note": None}
    return {"slice": "torso size", "value": name, "n": people, **scores}


def test_slices_have_a_row_per_slice_and_a_column_per_variant() -> None:
    found = {
        "baseline": [slice_entry("small", 50, 70.0), slice_entry("large", 60, 80.0)],
        "final": [slice_entry("small", 50, 75.0), slice_entry("large", 60, 85.0)],
    }
    table = score_tables.slices_table(found, DATA)
    assert table.headers == ("slice", "people", "baseline", "final")
    assert table.rows == (
        ("torso size: small", "50", "70.0\n69.0–71.0", "75.0\n74.0–76.0"),
        ("torso size: large", "60", "80.0\n79.0–81.0", "85.0\n84.0–86.0"),
    )
    assert DATA in table.title
    assert "fewer than" not in table.note


def test_slices_of_too_few_people_have_no_score_and_a_note() -> None:
    few = {"slice": "wrists", "value": "one above its shoulder", "n": 29, **TOO_FEW}
    table = score_tables.slices_table({"baseline": [few, few], "final": [few, few]}, DATA)
    assert table.rows[0] == ("wrists: one above its shoulder", "29", "–", "–")
    assert table.note.endswith("may be chance. –: fewer than 30 people.")


def test_slices_of_one_cluster_have_a_score_without_an_interval() -> None:
    one = slice_entry("small", 50, 70.0) | {"ci95": None}
    assert score_tables.slices_table({"final": [one]}, DATA).rows == (("torso size: small", "50", "70.0"),)


def test_decodings_are_compared_with_the_headline() -> None:
    table = score_tables.decodings_table(
        {"baseline": decodings("baseline"), "final": decodings("final")}, {"baseline": 8.0, "final": None}, DATA
    )
    assert table.headers == ("decoding", "PCK@0.2", "gain @0.2", "gain @0.1", "gain @0.05", "ms")
    gain = "+2.0\n-0.5 to +4.5"
    assert table.rows == (
        ("baseline: coordinates (headline)", "80.0\n79.0–81.0", "–", "–", "–", "8.00"),
        ("baseline: coordinates + flip test", "82.0\n81.0–83.0", gain, gain, gain, "16.00"),
        ("final: argmax (headline)", "90.0\n89.0–91.0", "–", "–", "–", "–"),
        ("final: argmax + flip test", "92.0\n91.0–93.0", gain, gain, gain, "–"),
    )
    assert DATA in table.title


def test_robustness_names_what_passed() -> None:
    table = score_tables.robustness_table({"baseline": robustness("baseline"), "final": robustness("final")}, DATA)
    assert table.headers == ("variant", "flip equivariance", "shift equivariance", "darkening", "blur")
    degradation = ("90 → 85\npassed", "90 → 70\npassed")
    assert table.rows == (
        ("baseline", "0.061\npassed", "0.10\nFAILED", *degradation),
        ("final", "0.061\npassed", "0.75\npassed", *degradation),
    )
    assert DATA in table.title


def test_equal_criteria_are_named_once() -> None:
    note = score_tables.robustness_table({"final": robustness("final")}, DATA).note
    assert note.endswith(
        "Criteria: flip equivariance: close; shift equivariance: follows; darkening, blur: degrades slowly."
    )


def test_annotator_agreement() -> None:
    at = {"mean": 90.0, "elbow": 100.0, "wrist": 50.0, "lhip": 80.0, "rhip": None}
    intervals = {"mean": [85.0, 95.0], "elbow": [100.0, 100.0], "wrist": [40.0, 60.0], "lhip": None, "rhip": None}
    found = {
        "pairs": 82,
        "torso": "lsho-rhip",
        "pck": {"0.05": at, "0.2": at},
        "ci95": {"0.05": intervals, "0.2": intervals},
    }
    without_pairs: dict[str, Any] = {"pairs": 0, "torso": "lsho-rhip", "pck": {}, "ci95": {}}
    table = score_tables.agreement_table({"test": found, "train": without_pairs}, DATA)
    assert table is not None
    assert DATA in table.title
    cells = ("90.0\n85.0–95.0", "100.0\n100.0–100.0", "50.0\n40.0–60.0", "80.0", "–")
    assert table.rows == (("test", "82", "@0.2", *cells), ("test", "82", "@0.05", *cells))
    assert score_tables.agreement_table({"test": without_pairs, "train": without_pairs}, DATA) is None
