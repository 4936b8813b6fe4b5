"""A benchmark's figures in the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from splitpose.benchmark import operator_timings
from splitpose.benchmark.schema import Benchmark, Figures

MOST_TIME = 6
"""Lines of the profile that are shown; the JSON has all operators."""


def print_benchmark(benchmark: Benchmark) -> None:
    """Print the device, a line for each file and number of threads, and where the time goes."""
    console = Console(highlight=False)
    console.width = max(console.width, 100)
    facts = benchmark.device.model_dump(exclude_none=True)
    console.print(Text("   ".join(f"{name} {value}" for name, value in facts.items())))
    console.print(
        _table(_latencies(benchmark), "model", "threads", "p50 ms", "p90", "p95", "p99", "GFLOP/s", "of peak")
    )
    console.print(_table(_files(benchmark), "model", "MB", "M mult-adds", "init ms", "peak MiB", "delegated"))
    for name, figures in benchmark.models.items():
        _print_details(console, name, figures)


def _latencies(benchmark: Benchmark) -> list[list[str]]:
    return [
        [
            name,
            str(speed.threads),
            *(_number(ms, 3) for ms in (speed.p50_ms, speed.p90_ms, speed.p95_ms, speed.p99_ms)),
            _number(speed.gflops, 1),
            "" if speed.share_of_float32_peak is None else f"{speed.share_of_float32_peak:.0%}",
        ]
        for name, figures in benchmark.models.items()
        for speed in figures.by_threads
    ]


def _files(benchmark: Benchmark) -> list[list[str]]:
    return [
        [
            name,
            _number(figures.bytes / 1e6, 2),
            _number(figures.multiply_adds / 1e6, 1),
            _number(figures.init_ms, 1),
            _number(figures.peak_memory_mb, 1),
            _delegated(figures),
        ]
        for name, figures in benchmark.models.items()
    ]


def _delegated(figures: Figures) -> str:
    if figures.fully_delegated:
        return "fully"
    return "partly" if figures.delegate_parts is None else f"in {figures.delegate_parts} part(s)"


def _print_details(console: Console, name: str, figures: Figures) -> None:
    if figures.outside_delegate:
        console.print(Text(f"{name}: not run by the delegate: {', '.join(figures.outside_delegate)}"))
    if run := figures.sustained:
        console.print(
            Text(
                f"{name}: {run.seconds:.0f} s without a pause: p50 {run.first_fifth_p50_ms:.3f} ms in the first "
                f"fifth, {run.last_fifth_p50_ms:.3f} ms in the last (x {run.slowdown:.2f})"
            )
        )
    if figures.profile_missing:
        console.print(Text(f"{name}: no profile: {figures.profile_missing}"))
        return
    total = sum(operator.ms for operator in figures.profile) or 1.0
    rows = [
        [operator, str(count), _number(ms, 3), f"{ms / total:.0%}"]
        for operator, count, ms in operator_timings.by_name(figures.profile)[:MOST_TIME]
    ]
    console.print(_table(rows, f"where {name} spends its time", "operators", "ms", "share"))


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _table(rows: list[list[str]], *headers: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for number, header in enumerate(headers):
        table.add_column(Text(header), justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
