"""The table that LiteRT's profiler prints, of the runtime itself and of the benchmark_model program alike."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from splitpose.benchmark.schema import OperatorTime

HEADING = " Run Order "
COLUMNS = re.compile(r"\[([^]]+)]")
GAP = re.compile(r"\t\s*|\s{2,}")
OWN_KERNEL = re.compile(r"[A-Z][A-Z0-9_]*")


def parse(text: str) -> list[OperatorTime]:
    """Operators and their mean times in the last table by run order; [] where there is none.

    A row of a delegate's operator is named "Delegate/..."; that prefix is left out.
    """
    _, found, table = text.rpartition(HEADING)
    if not found:
        return []
    _, header, *rows = table.splitlines()
    time = COLUMNS.findall(header).index("avg ms")
    times = []
    for row in rows:
        cells = GAP.split(row.strip())
        if len(cells) <= time:
            break
        times.append(OperatorTime(name=cells[0].removeprefix("Delegate/"), ms=float(cells[time])))
    return times


def outside_delegate(profile: Iterable[OperatorTime]) -> list[str]:
    """Operators that ran on the runtime's own kernels: these are named as in the file, e.g. CONV_2D."""
    return [operator.name for operator in profile if OWN_KERNEL.fullmatch(operator.name)]


def by_name(profile: Sequence[OperatorTime]) -> list[tuple[str, int, float]]:
    """Name, number of operators and their ms together; the most time first."""
    times = defaultdict(list)
    for operator in profile:
        times[operator.name].append(operator.ms)
    return sorted(((name, len(ms), sum(ms)) for name, ms in times.items()), key=lambda row: -row[2])
