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
UNSEEN = UnseenInstances(pd.DataFrame(index=range(400)), 0, {})
EVIDENCE = Evidence(
    unseen=UNSEEN,
    target="local",
    challenger=CHALLENGER,
    champion=CHAMPION,
    mean_pose=75.0,
    difference=EQUAL,
    reference=ReferenceResult(90.0, EQUAL),
    slices=[replace(EQUAL, name="group: a", instances=30)],
    parity=Parity(90.0, 90.0),
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
        "all 10 checks passed: mean PCK@0.2 of 90.0 against the champion's 90.0 on 400 test instances, "
        "+0 points (-1 to +1)"
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
        ("parity", {"parity": Parity(89.5, 90.0)}, True),
        ("parity", {"parity": Parity(89.499, 90.0)}, False),
        ("parity", {"parity": Parity(95.0, 90.0)}, True),  # better than its Keras model is no loss
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
        "3 of 10 checks failed, slices, p95_ratio, data: 2 of 2 slices lost significantly more than 3 points; "
        "lowest: group: -6.0 (30 instances), -6 points (-99 to -2); "
        "p95 latency of 7.5 ms against 5.0 ms on local, ratio 1.5, limit 1.2; x"
    )


@pytest.mark.parametrize(("remaining", "passed"), [(100, True), (99, False), (0, False)])
def test_the_number_of_unseen_instances_at_its_limit(remaining, passed):
    unseen = UnseenInstances(pd.DataFrame(index=range(remaining)), 12, {"champion": 10, "challenger": 3})
    check = check_unseen_instances(unseen, GATE.model_copy(update={"min_instances": 100}))
    assert (check.name, check.passed, check.value, check.limit) == ("unseen_instances", passed, remaining, 100)
    assert check.text == (
        f"{remaining} test instances that no compared model was trained on; 12 are excluded, because they are in "
        "training groups (champion 10, challenger 3); at least 100 are required"
    )
    assert summarise([check]).startswith(
        "all 1 checks passed" if passed else f"1 of 1 checks failed, unseen_instances: {remaining} test instances"
    )
