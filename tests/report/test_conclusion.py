from dataclasses import replace
from typing import Any

import pytest
from support.synthetic_report import comparison

from splitpose.report.conclusion import describe_file, write_conclusion
from splitpose.report.inputs import ReportInputs

LEAD = {"difference": 10.0, "ci95": [8.2, 12.0], "outcome": "better", "seeds_covered": False}
ONE_SEED = (
    " The variation between seeds is not covered, because each variant was trained from one seed; train several "
    "repeats (the key repeats of params.yaml) to cover it."
)


def recommendation(**changes: Any) -> dict[str, Any]:
    """Return a recommendation of final, which is better than baseline."""
    return {
        "variant": "final",
        "n": 397,
        "pck": 90.0,
        "ci95": [89.0, 91.0],
        "seeds_covered": False,
        "most_accurate": "final",
        "not_distinguishable": [],
        "compared_with": {"variant": "baseline", **LEAD},
    } | changes


def conclude(inputs: ReportInputs, profile: str = "sample", **changes: Any) -> str:
    """Return the conclusion without its last sentence, that on the seeds."""
    text = write_conclusion(
        replace(inputs, comparison=comparison(profile), recommendation=recommendation(**changes))
    )
    assert text.endswith(ONE_SEED)
    return text.removesuffix(ONE_SEED)


def test_a_better_variant(inputs: ReportInputs) -> None:
    assert conclude(inputs) == (
        "Use final: on 397 synthetic test people its mean PCK@0.2 is 90.0, 10.0 points above baseline, the next "
        "best (95 % interval over people: 8.2 to 12.0)."
    )
    assert conclude(inputs, "flic").startswith("Use final: on the 397 test people of profile flic its mean PCK@0.2")


def test_several_seeds_are_covered(inputs: ReportInputs) -> None:
    covered = recommendation(
        seeds_covered=True, compared_with={"variant": "baseline", **LEAD, "seeds_covered": True}
    )
    repeated = replace(inputs, comparison=comparison(repeats=3), recommendation=covered)
    assert write_conclusion(repeated) == (
        "Use final: on 397 synthetic test people its mean PCK@0.2 over 3 seeds is 90.0, 10.0 points above "
        "baseline, the next best (95 % interval over people and seeds: 8.2 to 12.0)."
    )
    assert describe_file(repeated) == (
        "The float32 TFLite file of final has 4.00 MB and takes 8.00 ms per image (p50). It is that of repeat 2, "
        "the best on the validation people, and has a PCK@0.2 of 90.0."
    )


def test_variants_with_one_seed_are_named(inputs: ReportInputs) -> None:
    mixed = comparison(repeats=3)
    mixed["variants"]["baseline"] = comparison()["variants"]["baseline"]
    text = write_conclusion(replace(inputs, comparison=mixed, recommendation=recommendation()))
    assert "is not covered, because baseline was trained from one seed; train several repeats" in text


TIE = {"difference": 0.4, "ci95": [-0.6, 1.3], "outcome": "not distinguishable", "seeds_covered": False}


def test_the_most_accurate_variant_is_not_distinguishable_from_a_larger_one(inputs: ReportInputs) -> None:
    tied = {"not_distinguishable": ["baseline"], "compared_with": {"variant": "baseline", **TIE}}
    assert conclude(inputs, **tied) == (
        "Use final: on 397 synthetic test people its mean PCK@0.2 is 90.0, the highest but only 0.4 points above "
        "baseline (95 % interval over people: -0.6 to 1.3), which is not distinguishable from it and has "
        "no fewer parameters."
    )
    several = tied | {"not_distinguishable": ["baseline", "split"]}
    assert conclude(inputs, **several).endswith(
        "; baseline and split are not distinguishable from it and have no fewer parameters."
    )


def test_a_smaller_variant_is_not_distinguishable_from_the_most_accurate_one(inputs: ReportInputs) -> None:
    tie = {"variant": "final", **TIE, "difference": -0.4, "ci95": [-1.3, 0.6]}
    smaller = {"variant": "baseline", "pck": 89.6, "not_distinguishable": ["baseline"], "compared_with": tie}
    assert conclude(inputs, **smaller) == (
        "Use baseline: on 397 synthetic test people its mean PCK@0.2 is 89.6, not distinguishable from final, the "
        "highest (difference -0.4 points, 95 % interval over people: -1.3 to 0.6), and it is the smaller of the "
        "two (3.25 M parameters, final 2.12 M)."
    )
    several = smaller | {"not_distinguishable": ["split", "baseline"]}
    assert "it is the smallest of the 3 variants that are not distinguishable" in conclude(inputs, **several)


def test_a_single_variant(inputs: ReportInputs) -> None:
    assert conclude(inputs, compared_with=None) == (
        "Use final: on 397 synthetic test people its mean PCK@0.2 is 90.0 (95 % interval over people: 89.0 to "
        "91.0); there is no other variant to compare it with."
    )


def test_without_an_interval_the_reason_is_given(inputs: ReportInputs) -> None:
    tied = {
        "not_distinguishable": ["baseline"],
        "compared_with": {"variant": "baseline", **TIE, "ci95": None},
    }
    text = conclude(inputs, **tied)
    assert "baseline (no interval, because all test people are in one bootstrap cluster)" in text


def test_no_variant_is_recommended_unless_the_best_exceeds_the_mean_pose(inputs: ReportInputs) -> None:
    robustness = {
        name: dict(results) | {"darkening": results["darkening"] | {"mean_pose": 90.0}}
        for name, results in inputs.robustness.items()
    }
    useless = replace(inputs, robustness=robustness, recommendation=recommendation())
    assert write_conclusion(useless) == (
        "Do not use any variant yet: on 397 synthetic test people the highest mean PCK@0.2, 90.0 of final, does "
        "not exceed that of the mean pose, which ignores the image (90.0)."
    )
    assert describe_file(useless) is None


@pytest.mark.parametrize("write", [write_conclusion, describe_file])
def test_without_scores_nothing_is_recommended(inputs: ReportInputs, write: Any) -> None:
    assert write(replace(inputs, recommendation=None)) in (
        None,
        "No variant can be recommended: no test instance is scored.",
    )
