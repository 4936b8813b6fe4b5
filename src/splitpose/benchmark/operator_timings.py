"""Operator timings from the table that LiteRT's profiler and the benchmark_model program print."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from splitpose.benchmark.schema import OperatorTiming

HEADING = " Run Order "
COLUMNS = re.compile(r"\[([^]]+)]")
GAP = re.compile(r"\t\s*|\s{2,}")
BUILTIN_KERNEL = re.compile(r"[A-Z][A-Z0-9_]*")


def parse(text: str) -> list[OperatorTiming]:
    """Return the operators and their mean times from the last table by run order; [] if there is no table.

    The profiler prefixes the operators of a delegate with "Delegate/"; the prefix is removed.
    """
    _, heading, table = text.rpartition(HEADING)
    if not heading:
        return []
    _, header, *rows = table.splitlines()
    time = COLUMNS.findall(header).index("avg ms")
    timings = []
    for row in rows:
        cells = GAP.split(row.strip())
        if len(cells) <= time:
            break
        timings.append(OperatorTiming(name=cells[0].removeprefix("Delegate/"), ms=float(cells[time])))
    return timings


def outside_delegate(timings: Iterable[OperatorTiming]) -> list[str]:
    """Return the operators that the runtime's own kernels ran: those named as in the file, e.g. CONV_2D."""
    return [operator.name for operator in timings if BUILTIN_KERNEL.fullmatch(operator.name)]


def total_by_name(timings: Sequence[OperatorTiming]) -> list[tuple[str, int, float]]:
    """Return (name, number of operators, total ms) for each operator name, in descending order of time."""
    times = defaultdict(list)
    for operator in timings:
        times[operator.name].append(operator.ms)
    return sorted(((name, len(ms), sum(ms)) for name, ms in times.items()), key=lambda row: -row[2])
