"""Table of the changes between two comparisons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from splitpose.report import seeds
from splitpose.report.document import Table
from splitpose.report.formatting import MISSING, format_number
from splitpose.report.tables import describe_data


@dataclass(frozen=True)
class _Quantity:
    """A number of a variant's entry in comparison.json."""

    header: str
    keys: tuple[str, ...]
    digits: int
    unit: float = 1.0

    def get(self, entry: Any) -> float | None:
        """Return the number, None if the entry lacks it."""
        for key in self.keys:
            entry = entry.get(key) if isinstance(entry, Mapping) else None
        return None if entry is None else entry / self.unit


QUANTITIES = (
    _Quantity("PCK@0.2", ("pck", "0.2", "mean"), 1),
    _Quantity("int8 PCK@0.2", ("tflite", "int8", "pck_0.2_mean"), 1),
    _Quantity("int8 p50 ms", ("tflite", "int8", "p50_ms"), 2),
    _Quantity("int8 MB", ("tflite", "int8", "bytes"), 2, unit=1e6),
)


def previous_table(comparison: Mapping[str, Any], previous: Mapping[str, Any]) -> Table:
    """Return one row per variant of either comparison: accuracy, latency and size, and their changes.

    Args:
        comparison: content of the present comparison.json.
        previous: content of an earlier one.
    """
    before, now = previous["variants"], comparison["variants"]
    rows = tuple(
        (name, *(_format_change(quantity, before.get(name), now.get(name)) for quantity in QUANTITIES))
        for name in dict.fromkeys([*now, *before])
    )
    return Table(
        title=f"Values now and their changes ({describe_data(comparison)})",
        headers=("variant", *(quantity.header for quantity in QUANTITIES)),
        rows=rows,
        note="The second line is the plain difference from the previous value, without an interval: a difference "
        "within the variant's own 95 % interval may be due to chance, and latency varies from run to run."
        + (
            f" PCK@0.2 is now the mean over {seeds.describe_count(comparison)}, int8 the exported repeat's."
            if seeds.has_several(comparison)
            else ""
        ),
    )


def _format_change(quantity: _Quantity, before: Any, now: Any) -> str:
    """Return the present value and, on a second line, the change."""
    old, new = quantity.get(before), quantity.get(now)
    value = format_number(new, quantity.digits)
    if new is None:
        return f"{MISSING}\nremoved" if now is None else MISSING
    if old is None:
        return f"{value}\nnew"
    change = round(new - old, quantity.digits) + 0.0  # + 0.0: no "-0.0"
    return f"{value}\n{change:+.{quantity.digits}f}"
