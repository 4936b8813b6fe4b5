from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import synthetic_report
from support.synthetic_report import VARIANTS, comparison

from splitpose.errors import InputError
from splitpose.evaluation.comparison import JsonFile, VariantResults, compare
from splitpose.evaluation.repeat_scores import score_repeats


def results(variant: str) -> VariantResults:
    def file(name: str, content: dict[str, Any]) -> JsonFile:
        return JsonFile(Path("reports") / name / f"{variant}.json", content)

    return VariantResults(
        metrics=file("metrics", synthetic_report.metrics(variant)),
        parity=file("parity", synthetic_report.parity(variant)),
        benchmark=file("benchmark", synthetic_report.benchmark(variant)),
        exported=1,
        repeated=None,
    )


def all_results(*variants: str) -> dict[str, VariantResults]:
    return {variant: results(variant) for variant in variants or VARIANTS}


def test_comparison_is_the_contract() -> None:
    assert compare("sample", all_results()) == comparison()


def test_intervals_are_inside_each_threshold() -> None:
    final = compare("sample", all_results())["variants"]["final"]
    assert final["pck"]["0.1"]["lwri"] == 50.0
    assert final["pck"]["0.1"]["ci95"]["lwri"] == [49.0, 51.0]
    assert final["auc"]["0.2"]["mean"] == 45.0
    assert final["auc"]["0.2"]["ci95"]["lwri"] == [34.0, 36.0]


def test_scores_of_several_repeats_replace_those_of_the_exported_one() -> None:
    found = all_results()
    errors = np.zeros((3, 40, 11))
    errors[0, :4], errors[2, :8] = 0.3, 0.3  # Of 40 people, 4, 0 and 8 are missed.
    repeated = score_repeats(errors, (0.05, 0.1, 0.2), 200, 0)
    found["final"] = replace(found["final"], exported=2, repeated=repeated)
    final = compare("sample", found)["variants"]["final"]
    assert final["pck"]["0.2"]["mean"] == 90.0
    assert final["pck"]["0.2"]["ci95"]["mean"] == repeated.summary["ci95"]["0.2"]["mean"]
    assert final["auc"] == repeated.summary["auc"]
    assert final["seeds"].pop("pck_range")["0.2"]["lwri"] == final["seeds"].pop("auc_range")["0.2"]["mean"]
    assert final["seeds"] == {"count": 3, "exported": 2, "covered": True, "pck_0.2_mean": [90.0, 100.0, 80.0]}
    expected = comparison()["variants"]["final"]
    assert list(final) == list(expected)
    for key in ("parameters", "macs", "train_loss", "val_loss", "tflite"):  # those of the exported repeat
        assert final[key] == expected[key]


def test_variants_keep_their_order() -> None:
    assert list(compare("sample", all_results("final", "baseline"))["variants"]) == ["final", "baseline"]
    assert list(compare("sample", all_results("final"))["variants"]) == ["final"]


def test_missing_key_is_named() -> None:
    found = all_results()
    broken = JsonFile(Path("reports/benchmark/final.json"), {"device": {}, "float32": {"p50_ms": 1}})
    found["final"] = replace(found["final"], benchmark=broken)
    with pytest.raises(InputError, match=r"^reports/benchmark/final\.json: has no 'float32\.p95_ms'$"):
        compare("sample", found)


def test_a_list_instead_of_an_object_is_an_input_error() -> None:
    found = all_results()
    broken = JsonFile(Path("reports/metrics/final.json"), [])
    found["final"] = replace(found["final"], metrics=broken)
    with pytest.raises(InputError, match="has no 'n'"):
        compare("sample", found)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("torso", "rsho-lhip", "torso is rsho-lhip, but lsho-rhip for baseline"),
        ("bootstrap_cluster", "group", "bootstrap_cluster is group, but image for baseline"),
        ("flip_test", True, "flip_test is True, but False for baseline"),
    ],
)
def test_variants_scored_in_different_ways_are_rejected(key: str, value: Any, message: str) -> None:
    found = all_results()
    other = JsonFile(Path("reports/metrics/final.json"), synthetic_report.metrics("final") | {key: value})
    found["final"] = replace(found["final"], metrics=other)
    with pytest.raises(InputError, match=message):
        compare("sample", found)
