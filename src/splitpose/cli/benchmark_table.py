"""A benchmark as tables in the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from splitpose.benchmark import operator_timings
from splitpose.benchmark.schema import Benchmark, ModelBenchmark

MAX_OPERATORS = 6
"""Number of operator names in the terminal; the JSON has all operators."""


def print_benchmark(benchmark: Benchmark) -> None:
    """Print the device, the latency of each file by number of threads, and the slowest operators."""
    console = Console(highlight=False)
    console.width = max(console.width, 100)
    device = benchmark.device.model_dump(exclude_none=True)
    console.print(Text("   ".join(f"{key} {value}" for key, value in device.items())))
    console.print(
        _table(_latency_rows(benchmark), "model", "threads", "p50 ms", "p90", "p95", "p99", "GFLOP/s", "of peak")
    )
    console.print(_table(_file_rows(benchmark), "model", "MB", "MMACs", "init ms", "peak MiB", "delegated"))
    console.print(_table(_input_rows(benchmark), "model", "signature", "inputs"))
    for name, model in benchmark.models.items():
        _print_details(console, name, model)


def _latency_rows(benchmark: Benchmark) -> list[list[str]]:
    return [
        [
            name,
            str(latency.threads),
            *(_number(ms, 3) for ms in (latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms)),
            _number(latency.gflops, 1),
            "" if latency.share_of_float32_peak is None else f"{latency.share_of_float32_peak:.0%}",
        ]
        for name, model in benchmark.models.items()
        for latency in model.by_threads
    ]


def _file_rows(benchmark: Benchmark) -> list[list[str]]:
    return [
        [
            name,
            _number(model.bytes / 1e6, 2),
            _number(model.macs / 1e6, 1),
            _number(model.init_ms, 1),
            _number(model.peak_memory_mb, 1),
            _delegation(model),
        ]
        for name, model in benchmark.models.items()
    ]


def _input_rows(benchmark: Benchmark) -> list[list[str]]:
    return [
        [
            name,
            model.signature or "",
            ", ".join(f"{key} {'x'.join(map(str, shape))}" for key, shape in (model.input_shapes or {}).items()),
        ]
        for name, model in benchmark.models.items()
    ]


def _delegation(model: ModelBenchmark) -> str:
    if model.fully_delegated:
        return "fully"
    return "partly" if model.delegate_partitions is None else f"in {model.delegate_partitions} partition(s)"


def _print_details(console: Console, name: str, model: ModelBenchmark) -> None:
    if model.other_signatures:
        console.print(Text(f"{name}: --signature selects {' or '.join(model.other_signatures)}"))
    if model.outside_delegate:
        console.print(Text(f"{name}: not run by the delegate: {', '.join(model.outside_delegate)}"))
    if sustained := model.sustained:
        console.print(
            Text(
                f"{name}: {sustained.seconds:.0f} s without a pause: p50 {sustained.first_fifth_p50_ms:.3f} ms in "
                f"the first fifth, {sustained.last_fifth_p50_ms:.3f} ms in the last (x {sustained.slowdown:.2f})"
            )
        )
    if model.operator_timings_missing:
        console.print(Text(f"{name}: no operator timings: {model.operator_timings_missing}"))
        return
    total = sum(operator.ms for operator in model.operator_timings) or 1.0
    rows = [
        [operator, str(count), _number(ms, 3), f"{ms / total:.0%}"]
        for operator, count, ms in operator_timings.total_by_name(model.operator_timings)[:MAX_OPERATORS]
    ]
    console.print(_table(rows, f"operators of {name}", "count", "ms", "share"))


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _table(rows: list[list[str]], *headers: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for number, header in enumerate(headers):
        table.add_column(Text(header), justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
