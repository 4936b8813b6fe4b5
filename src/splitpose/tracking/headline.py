"""The headline metrics of a run: the numbers by which variants are compared in MLflow's charts.

There are few of them, because MLflow draws one chart per metric. All other results are files in the artifacts.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from splitpose.settings import PRECISIONS

JOINT_GROUPS_THRESHOLD = "0.2"
"""The PCK threshold for which elbows and wrists are headline metrics, too (paper, Table 3)."""


def headline_metrics(
    metrics: Mapping[str, Any],
    selection: Mapping[str, Any],
    parity: Mapping[str, Mapping[str, Any]],
    benchmark: Mapping[str, Any],
) -> dict[str, float]:
    """Return the headline metrics of a variant, {"test/pck_0.2_mean": 90.0, ...}.

    The prefix is the chart's section in MLflow. Percentages are 0 to 100, sizes bytes, latencies milliseconds.
    Values that were not measured are left out.

    Args:
        metrics: reports/metrics/<variant>.json.
        selection: reports/repeats/<variant>.json.
        parity: reports/parity/<variant>.json.
        benchmark: reports/benchmark/<variant>.json.
    """
    selected = selection["repeats"][str(selection["selected"])]
    values = {
        **dict(_test_metrics(metrics)),
        "val/best_pck_0.2": selected["val_pck_0.2"],
        **dict(_device_metrics(parity, benchmark)),
        "device/parameters": metrics["parameters"],
        "device/macs": metrics["macs"],
        "data/test_instances": metrics["n"],
    }
    return {key: float(value) for key, value in values.items() if value is not None}


def _test_metrics(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Yield the scores on the test split; a group of joints that is never annotated has no score."""
    for threshold, groups in metrics["pck"].items():
        yield f"test/pck_{threshold}_mean", groups["mean"]
    for group in ("elbow", "wrist"):
        yield f"test/pck_{JOINT_GROUPS_THRESHOLD}_{group}", metrics["pck"][JOINT_GROUPS_THRESHOLD].get(group)
    for limit, areas in metrics["auc"].items():
        yield f"test/auc_{limit}_mean", areas["mean"]


def _device_metrics(
    parity: Mapping[str, Mapping[str, Any]], benchmark: Mapping[str, Any]
) -> Iterator[tuple[str, float | None]]:
    """Yield size and latency of every TFLite file, and the PCK of int8, the only precision that loses accuracy."""
    for precision in (precision for precision in PRECISIONS if precision in parity):
        yield f"device/bytes_{precision}", parity[precision]["bytes"]
        yield f"device/p50_ms_{precision}", benchmark.get(precision, {}).get("p50_ms")
    yield "device/pck_0.2_mean_int8", parity.get("int8", {}).get("pck_0.2_mean")
