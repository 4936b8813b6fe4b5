"""Table of the latency of other networks and of our variants, as the comparators stage measured it."""

from collections.abc import Mapping
from typing import Any

from splitpose.report.document import Table
from splitpose.report.formatting import MISSING, format_millions, format_number

NOT_MEASURED = (
    "The networks of the paper's Figure 1 were not measured with this profile: reports/comparators.json, which the "
    "comparators pipeline writes in minutes, is missing or belongs to another profile."
)
BASELINE = "baseline"


def sort_networks(comparators: Mapping[str, Any]) -> dict[str, Any]:
    """Return the measurements by network, the fastest first.

    Args:
        comparators: content of comparators.json: {"profile", "device", NAME: measurement}.
    """
    networks = {name: network for name, network in comparators.items() if name not in ("profile", "device")}
    return dict(sorted(networks.items(), key=lambda item: float(item[1]["p50_ms"])))


def networks_table(comparators: Mapping[str, Any]) -> Table:
    """Return one row per network: input size, parameters, MACs, latency."""
    baseline = comparators.get(BASELINE, {}).get("p50_ms")
    rows = tuple(
        (
            f"{name} (ours)" if network["kind"] == "ours" else name,
            str(network.get("year", MISSING)),
            str(network["size"]),
            format_millions(network["parameters"]),
            format_number(network["macs"] / 1e9, 2),
            format_number(network["p50_ms"], 2),
            format_number(network["p95_ms"], 2),
            format_number(network["p50_ms"] / baseline if baseline else None, 2),
            "yes" if network["fully_delegated"] else "no",
        )
        for name, network in sort_networks(comparators).items()
    )
    return Table(
        title="Other networks, float32, one image at a time",
        headers=(
            "network",
            "year",
            "input px",
            "params M",
            "GMACs",
            "p50 ms",
            "p95 ms",
            f"relative to {BASELINE}",
            "fully delegated",
        ),
        rows=rows,
        note="All measured in one run on one device, each at the input size of its paper and, except for those as "
        "trained, with random weights; classifiers include their 1000 classes. Ours have full width at 224 px; as "
        "trained: the profile's width and size. "
        f"Relative to {BASELINE}: p50 divided by that of {BASELINE} at 224 px. GMACs: 1e9 multiply-accumulate "
        "operations, counted in the file.",
    )
