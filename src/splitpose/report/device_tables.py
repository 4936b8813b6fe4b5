"""Table of start-up, latency and memory of the TFLite files on the target device."""

from collections.abc import Mapping

from splitpose.benchmark.schema import Benchmark
from splitpose.report.document import Table
from splitpose.report.formatting import format_millions, format_number
from splitpose.settings import PRECISIONS


def runtime_table(benchmarks: Mapping[str, Benchmark], data: str) -> Table:
    """Return one row per file: start-up time, latency, memory, MACs, and the share of the device's peak.

    Args:
        benchmarks: benchmark of each variant's files.
        data: description of the data (see `tables.describe_data`), for the title.
    """
    rows = []
    for variant, benchmark in benchmarks.items():
        for precision in PRECISIONS:
            result = benchmark.models[precision]
            rows.append(
                (
                    f"{variant}, {precision}",
                    format_number(result.init_ms, 1),
                    format_number(result.p50_ms, 2),
                    format_number(result.p99_ms, 2),
                    format_number(result.peak_memory_mb, 1),
                    format_millions(result.macs, digits=0),
                    format_number(result.gflops, 0),
                    format_number(result.share_of_float32_peak, 2),
                )
            )
    return Table(
        title=f"Start-up, latency and memory ({data})",
        headers=("file", "init ms", "p50 ms", "p99 ms", "MiB", "MMACs", "GFLOP/s", "share of peak"),
        rows=tuple(rows),
        note="init: loading the file and the first run. MiB: peak memory allocated for the file. MMACs: million "
        "multiply-accumulate operations in the file, including zeros between joint groups. Share of peak: relative "
        "to the fastest float32 matrix product on the device; int8 may exceed 1.",
    )
