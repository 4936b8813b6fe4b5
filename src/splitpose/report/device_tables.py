"""How TFLite files run on the target device, as a table."""

from collections.abc import Mapping

from splitpose.benchmark.schema import Benchmark
from splitpose.report.document import Table
from splitpose.report.formatting import millions, number
from splitpose.settings import PRECISIONS


def running(benchmarks: Mapping[str, Benchmark], people: str) -> Table:
    """One row a file: start, memory, work, and what share of the device's peak it reaches."""
    rows = []
    for variant, found in benchmarks.items():
        for precision in PRECISIONS:
            figures = found.models[precision]
            rows.append(
                (
                    f"{variant}, {precision}",
                    number(figures.init_ms, 1),
                    number(figures.p50_ms, 2),
                    number(figures.p99_ms, 2),
                    number(figures.peak_memory_mb, 1),
                    millions(figures.macs, digits=0),
                    number(figures.gflops, 0),
                    number(figures.share_of_float32_peak, 2),
                )
            )
    return Table(
        title=f"Files at work ({people})",
        headers=("file", "init ms", "p50 ms", "p99 ms", "MiB", "MMACs", "GFLOP/s", "share of peak"),
        rows=tuple(rows),
        note="init: reading the file and the first run. MiB: peak memory that the file asks for. MMACs: multiply-"
        "adds in the file, zeros between joints included. Share of the best that float32 matrix products reach "
        "there; int8 may pass it.",
    )
