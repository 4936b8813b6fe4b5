"""The networks that ours are compared with: what `make comparators` measured, read and as a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from splitpose.files import read_json
from splitpose.report.document import Table
from splitpose.report.formatting import MISSING, millions, number

HOW_TO_GET = "How fast the networks of the paper's Figure 1 are on this device, `make comparators` tells (minutes)."
BASELINE = "baseline"


def read(path: Path, profile: str) -> dict[str, Any] | None:
    """What the comparators stage wrote: {"profile": its name, "device": facts, NAME: figures}.

    None where it did not run with this profile: ours as trained, and the device, would be those of another.
    """
    if not path.is_file():
        return None
    found: dict[str, Any] = read_json(path, produced_by="`make comparators`")
    return found if found.get("profile") == profile else None


def networks(found: Mapping[str, Any]) -> dict[str, Any]:
    """The figures by name, the fastest network first."""
    figures = {name: figures for name, figures in found.items() if name not in ("profile", "device")}
    return dict(sorted(figures.items(), key=lambda item: float(item[1]["p50_ms"])))


def table(found: Mapping[str, Any]) -> Table:
    """One row a network: size, work, latency."""
    baseline = found.get(BASELINE, {}).get("p50_ms")
    rows = tuple(
        (
            f"{name} (ours)" if one["kind"] == "ours" else name,
            str(one.get("year", MISSING)),
            str(one["size"]),
            millions(one["parameters"]),
            number(one["macs"] / 1e9, 2),
            number(one["p50_ms"], 2),
            number(one["p95_ms"], 2),
            number(one["p50_ms"] / baseline if baseline else None, 2),
            "yes" if one["fully_delegated"] else "no",
        )
        for name, one in networks(found).items()
    )
    return Table(
        title="Other networks, float32, one picture at a time",
        headers=(
            "network",
            "year",
            "input px",
            "params M",
            "GMACs",
            "p50 ms",
            "p95 ms",
            f"times {BASELINE}",
            "fully delegated",
        ),
        rows=rows,
        note="All in one run on one device, each at the input size of its paper, with random "
        "weights, but for those as trained; classifiers "
        "end in their 1000 classes. Ours have full width at 224 px; as trained: the profile's own width and size. "
        f"Times {BASELINE}: p50 over that of ours at 224 px. GMACs: 1e9 multiply-adds, counted in the file.",
    )
