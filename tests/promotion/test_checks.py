from dataclasses import replace

import pandas as pd
import pytest

from splitpose.promotion.checks import check_unseen_instances, run_checks, summarise
from splitpose.promotion.differences import Difference
from splitpose.promotion.measurements import Evidence, Metrics, Parity, ReferenceResult
from splitpose.promotion.unseen_instances import UnseenInstances
from splitpose.settings import Gate

GATE = Gate(
    variant="final", precision="int8", max_loss=0.5, min_above_mean_pose=0.0, max_slice_loss=3.0,
    max_parity_loss=0.5, max_p95_ratio=1.2, max_p95_ms=None, max_size_ratio=1.1, max_bytes=None, min_instances=1,
)  # fmt: skip
CHALLENGER, CHAMPION = Metrics(90.0, 5.0, 1000), Metrics(90.0, 5.0, 1000)
EQUAL = Difference("all test instances", 400, 0.0, (-1.0, 1.0))
UNSEEN = UnseenInstances(pd.DataFrame(index=range(400)), 86, {"champion": 86}, models=2, total=486)
EVIDENCE = Evidence(
    unseen=UNSEEN,
    target="local",
    challenger=CHALLENGER,
    champion=CHAMPION,
    mean_pose=75.0,
    difference=EQUAL,
    reference=ReferenceResult(90.0, EQUAL),
    slices=[replace(EQUAL, name="group: a", instances=30)],
    parity=Parity(90.0, 90.0, 486),
    data_failures=[],
)
WITHOUT_CHAMPION = replace(EVIDENCE, champion=None, reference=None, slices=[])


def difference(points: float, low: float, high: float) -> Difference:
    return Difference("all test instances", 400, points, (low, high))


def slices(*losses: tuple[float, float]) -> list[Difference]:
    return [Difference(f"group: {points}", 30, points, (-99.0, high)) for points, high in losses]


def test_an_equal_model_passes_every_check():
    checks = run_checks(EVIDENCE, GATE)
    assert [check.name for check in checks] == [
        "pck", "reference", "slices", "p95_ratio", "size_ratio", "parity", "p95_ms", "bytes", "data",
        "unseen_instances",
    ]  # fmt: skip
    assert all(check.passed for check in checks)
    assert summarise(checks) == (
        "all 10 checks passed; deciding check pck: mean PCK@0.2 on the 400 of 486 test instances that neither "
        "model was trained on is 90.0 against the champion's 90.0: no difference (95 % interval -1.0 to +1.0)"
    )


@pytest.mark.parametrize(
    ("name", "change", "passed"),
    [
        ("pck", {"difference": difference(-0.5, -1.5, 0.5)}, True),
        ("pck", {"difference": difference(-0.501, -1.5, 0.5)}, False),  # not significant, but too much
        ("pck", {"difference": difference(-0.2, -0.4, 0.0)}, True),
        ("pck", {"difference": difference(-0.2, -0.4, -0.001)}, False),  # little, but significant
        ("pck", {"difference": difference(2.0, 1.0, 3.0)}, True),
        ("pck", {"difference": Difference("", 400, -0.5, None)}, True),
        ("pck", {"difference": Difference("", 400, -0.6, None)}, False),
        ("pck", {"difference": difference(float("nan"), 0.0, 0.0)}, False),
        ("reference", {"reference": ReferenceResult(90.5, difference(-0.5, -1.5, 0.5))}, True),
        ("reference", {"reference": ReferenceResult(90.5, difference(-0.501, -1.5, 0.5))}, False),
        ("reference", {"reference": ReferenceResult(90.2, difference(-0.2, -0.4, -0.001))}, False),
        ("slices", {"slices": slices((-3.0, -1.0), (-9.0, 0.0))}, True),  # at the limit; not significant
        ("slices", {"slices": slices((5.0, 9.0), (-3.001, -0.001))}, False),
        ("slices", {"slices": []}, True),
        ("p95_ratio", {"challenger": replace(CHALLENGER, p95_ms=6.0)}, True),
        ("p95_ratio", {"challenger": replace(CHALLENGER, p95_ms=6.003)}, False),
        (
            "p95_ratio",
            {"challenger": replace(CHALLENGER, p95_ms=0.0), "champion": replace(CHAMPION, p95_ms=0.0)},
            True,
        ),
        ("size_ratio", {"challenger": replace(CHALLENGER, bytes=1100)}, True),
        ("size_ratio", {"challenger": replace(CHALLENGER, bytes=1101)}, False),
        ("parity", {"parity": Parity(89.5, 90.0, 486)}, True),
        ("parity", {"parity": Parity(89.499, 90.0, 486)}, False),
        ("parity", {"parity": Parity(95.0, 90.0, 486)}, True),  # better than its Keras model is no loss
        ("data", {"data_failures": ["too few films"]}, False),
    ],
)
def test_every_rule_at_its_limit(name, change, passed):
    checks = {check.name: check.passed for check in run_checks(replace(EVIDENCE, **change), GATE)}
    assert checks.pop(name) is passed
    assert all(checks.values())


@pytest.mark.parametrize("evidence", [EVIDENCE, WITHOUT_CHAMPION])
@pytest.mark.parametrize(
    ("name", "limit", "passed"),
    [("p95_ms", 5.0, True), ("p95_ms", 4.999, False), ("bytes", 1000, True), ("bytes", 999, False)],
)
def test_absolute_limits_apply_with_and_without_a_champion(evidence, name, limit, passed):
    checks = {check.name: check for check in run_checks(evidence, GATE.model_copy(update={f"max_{name}": limit}))}
    assert (checks[name].passed, checks[name].limit) == (passed, limit)


@pytest.mark.parametrize(("points", "limit", "passed"), [(0.0, 0.0, True), (-0.001, 0.0, False), (4.9, 5.0, False)])
def test_a_first_champion_must_beat_the_mean_pose(points, limit, passed):
    evidence = replace(WITHOUT_CHAMPION, difference=difference(points, -9.0, 9.0))
    first, *others = run_checks(evidence, GATE.model_copy(update={"min_above_mean_pose": limit}))
    assert (first.name, first.passed, first.value, first.limit) == ("above_mean_pose", passed, points, limit)
    assert [check.name for check in others] == ["parity", "p95_ms", "bytes", "data", "unseen_instances"]


def test_every_check_has_its_value_and_limit():
    values = {check.name: (check.value, check.limit) for check in run_checks(EVIDENCE, GATE)}
    assert values == {
        "pck": (0.0, -0.5), "reference": (0.0, -0.5), "slices": (0.0, -3.0), "p95_ratio": (1.0, 1.2),
        "size_ratio": (1.0, 1.1), "parity": (0.0, 0.5), "p95_ms": (5.0, None), "bytes": (1000, None),
        "data": (None, None), "unseen_instances": (400, 1),
    }  # fmt: skip


def test_the_summary_names_the_failed_checks():
    evidence = replace(
        EVIDENCE,
        slices=slices((-4.0, -1.0), (-6.0, -2.0)),
        challenger=replace(CHALLENGER, p95_ms=7.5),
        data_failures=["x"],
    )
    assert summarise(run_checks(evidence, GATE)) == (
        "the check slices failed: 2 of 2 slices lost significantly more than 3 points of mean PCK@0.2; the worst "
        "is group: -6.0 (30 instances), 6.0 points lower (interval corrected for the number of slices -99.0 to "
        "-2.0); the checks p95_ratio and data failed, too"
    )


@pytest.mark.parametrize(("remaining", "passed"), [(100, True), (99, False), (0, False)])
def test_the_number_of_unseen_instances_at_its_limit(remaining, passed):
    seen = {"champion": 10, "challenger": 3}
    unseen = UnseenInstances(pd.DataFrame(index=range(remaining)), 12, seen, models=2, total=remaining + 12)
    check = check_unseen_instances(unseen, GATE.model_copy(update={"min_instances": 100}))
    assert (check.name, check.passed, check.value, check.limit) == ("unseen_instances", passed, remaining, 100)
    assert check.text == (
        f"the {remaining} of {remaining + 12} test instances that neither model was trained on can be compared; 12 "
        "are in groups that a model was trained on (champion 10, challenger 3); at least 100 are required"
    )


PAIR = "mean PCK@0.2 on the 400 of 486 test instances that neither model was trained on is 90.0 against"
TEXTS = [
    (
        "pck",
        {"difference": difference(-0.501, -1.5, 0.5)},
        f"{PAIR} the champion's 90.0: 0.501 points lower (95 % interval -1.5 to +0.5); at most 0.5 points lower is "
        "allowed",
    ),
    (
        "pck",
        {"difference": difference(-0.2, -0.4, -0.001)},
        f"{PAIR} the champion's 90.0: 0.2 points lower (95 % interval -0.4 to -0.001); the loss is significant, "
        "and no significant loss is allowed",
    ),
    (
        "pck",
        {"difference": Difference("", 400, 1.2345, None)},
        f"{PAIR} the champion's 90.0: 1.2 points higher (without an interval: all instances are in one bootstrap "
        "cluster)",
    ),
    (
        "pck",
        {"difference": difference(-0.4, -0.9, 0.1)},
        f"{PAIR} the champion's 90.0: 0.4 points lower (95 % interval -0.9 to +0.1); up to 0.5 points lower is "
        "allowed if the loss is not significant",
    ),
    (
        "reference",
        {"reference": ReferenceResult(92.04, difference(-2.04, -3.0, -1.0))},
        f"{PAIR} the reference's 92.0: 2.0 points lower (95 % interval -3.0 to -1.0); at most 0.5 points lower is "
        "allowed",
    ),
    ("slices", {"slices": []}, "no slice of the test instances is large enough to compare"),
    (
        "slices",
        {},
        "none of 1 slices lost significantly more than 3 points of mean PCK@0.2; the worst is group: a (30 "
        "instances), no difference (interval corrected for the number of slices -1.0 to +1.0)",
    ),
    (
        "p95_ratio",
        {"challenger": replace(CHALLENGER, p95_ms=7.5)},
        "p95 latency on the target local is 7.5 ms, 1.5 times the champion's 5 ms; at most 1.2 times is allowed",
    ),
    (
        "size_ratio",
        {"challenger": replace(CHALLENGER, bytes=1101)},
        "the file has 1,101 bytes, 1.101 times the champion's 1,000; at most 1.1 times is allowed",
    ),
    (
        "parity",
        {"parity": Parity(89.499, 90.0, 486)},
        "mean PCK@0.2 on all 486 test instances is 89.5 for the TFLite file and 90.0 for its Keras model: 0.501 "
        "points lower; at most 0.5 points lower is allowed",
    ),
    ("p95_ms", {}, "p95 latency on the target local is 5 ms; there is no limit"),
    ("bytes", {}, "the file has 1,000 bytes; there is no limit"),
    ("data", {}, "the annotations passed validation"),
    ("data", {"data_failures": ["too few films", "x"]}, "the annotations failed validation: too few films; x"),
    (
        "unseen_instances",
        {},
        "the 400 of 486 test instances that neither model was trained on can be compared; 86 are in groups that a "
        "model was trained on (champion 86); at least 1 are required",
    ),
]


@pytest.mark.parametrize(("name", "change", "text"), TEXTS)
def test_the_text_of_every_check(name, change, text):
    checks = {check.name: check.text for check in run_checks(replace(EVIDENCE, **change), GATE)}
    assert checks[name] == text


def test_the_texts_of_absolute_limits_and_of_the_first_champion():
    gate = GATE.model_copy(update={"max_p95_ms": 4.5, "max_bytes": 1_000_000, "min_above_mean_pose": 5.0})
    evidence = replace(WITHOUT_CHAMPION, mean_pose=86.0, difference=difference(4.0, 3.0, 5.0))
    checks = {check.name: check.text for check in run_checks(evidence, gate)}
    assert checks["p95_ms"] == "p95 latency on the target local is 5 ms; at most 4.5 ms is allowed"
    assert checks["bytes"] == "the file has 1,000 bytes; at most 1,000,000 bytes is allowed"
    assert checks["above_mean_pose"] == (
        f"{PAIR} the mean pose's 86.0: 4.0 points higher (95 % interval +3.0 to +5.0); at least 5 points higher is "
        "required"
    )


def test_the_metrics_of_the_decision_log_name_their_evaluation_set():
    assert replace(EVIDENCE, reference=ReferenceResult(91.0, EQUAL)).as_metrics() == {
        "evaluation_set": "the 400 of 486 test instances that neither model was trained on",
        "test_instances": 400,
        "target": "local",
        "models": {
            "challenger": {"pck_0.2_mean": 90.0, "p95_ms": 5.0, "bytes": 1000},
            "champion": {"pck_0.2_mean": 90.0, "p95_ms": 5.0, "bytes": 1000},
            "reference": {"pck_0.2_mean": 91.0},
        },
    }
    assert set(WITHOUT_CHAMPION.as_metrics()["models"]) == {"challenger"}


def test_the_summary_of_one_and_of_two_failed_checks():
    pck = {"difference": difference(-4.0, -5.0, -3.0)}
    one = summarise(run_checks(replace(EVIDENCE, **pck), GATE))
    assert one.startswith("the check pck failed: mean PCK@0.2 on the 400 of 486") and "too" not in one
    two = summarise(run_checks(replace(EVIDENCE, **pck, data_failures=["x"]), GATE))
    assert two == f"{one}; the check data failed, too"
