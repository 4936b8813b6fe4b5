"""The benchmark of TFLite files on a target device."""

from collections.abc import Mapping
from pathlib import Path

from splitpose.benchmark.schema import Benchmark, Latency, ModelBenchmark, TargetResult, Throughput
from splitpose.benchmark.targets.target import BenchmarkOptions, Target
from splitpose.benchmark.tflite_operators import TfliteFile, inspect_tflite


def measure(target: Target, models: Mapping[str, Path], options: BenchmarkOptions) -> Benchmark:
    """Benchmark TFLite files on a target, one after the other.

    Args:
        target: the device.
        models: at least one TFLite file, by its name in the result.
        options: numbers of threads and runs.

    Raises:
        InputError: a file or the device cannot be used; all files are checked before the first is measured.
    """
    files = {name: inspect_tflite(path) for name, path in models.items()}
    results = {name: target.run(path, files[name].inputs, options) for name, path in models.items()}
    benchmarks = {name: _model_benchmark(files[name], results[name], options) for name in models}
    device = next(iter(results.values())).device
    return Benchmark.model_validate({"device": device} | benchmarks)


def _model_benchmark(file: TfliteFile, result: TargetResult, options: BenchmarkOptions) -> ModelBenchmark:
    """Combine a target's result with the contents of the file."""
    throughputs = [_throughput(latency, file.macs) for latency in result.by_threads]
    return ModelBenchmark(
        **throughputs[0].model_dump(),
        **result.model_dump(exclude={"device", "by_threads"}),
        by_threads=throughputs,
        init_ms=round(result.load_ms + result.first_run_ms, 3),
        warmup_runs=options.warmup_runs,
        bytes=file.bytes,
        sha256=file.sha256,
        macs=file.macs,
        operators=list(file.operators),
    )


def _throughput(latency: Latency, macs: int) -> Throughput:
    """Add the operations per second, and their share of the device's float32 peak, to a latency."""
    gflops = 2 * macs / (latency.p50_ms * 1e6) if latency.p50_ms else 0.0
    peak = latency.float32_peak_gflops
    share = round(gflops / peak, 3) if peak else None
    return Throughput(**latency.model_dump(), gflops=round(gflops, 2), share_of_float32_peak=share)
