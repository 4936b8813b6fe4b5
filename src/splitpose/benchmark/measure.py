"""The benchmark of TFLite files on a target device."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from splitpose.benchmark.model_inputs import ModelInputs
from splitpose.benchmark.schema import Benchmark, Latency, ModelBenchmark, TargetResult, Throughput
from splitpose.benchmark.targets.target import BenchmarkOptions, Target
from splitpose.benchmark.tflite_operators import TfliteFile, inspect_tflite
from splitpose.errors import InputError


def measure(
    target: Target,
    models: Mapping[str, Path],
    options: BenchmarkOptions,
    inputs: ModelInputs = ModelInputs(),  # noqa: B008 (immutable)
) -> Benchmark:
    """Benchmark TFLite files on a target, one after the other.

    Args:
        target: the device.
        models: at least one TFLite file, by its name in the result.
        options: numbers of threads and runs.
        inputs: the signature and the input shapes to measure.

    Raises:
        InputError: a file or the device cannot be used; all files are checked before the first is measured.
    """
    files = {name: inspect_tflite(path, inputs) for name, path in models.items()}
    results = {name: _run(target, path, files[name], options) for name, path in models.items()}
    benchmarks = {name: _model_benchmark(files[name], results[name], options) for name in models}
    device = next(iter(results.values())).device
    return Benchmark.model_validate({"device": device} | benchmarks)


def _run(target: Target, path: Path, file: TfliteFile, options: BenchmarkOptions) -> TargetResult:
    """Measure a file or, if a signature or shapes were chosen, its copy with them."""
    if file.resolved.is_original:
        return target.run(path, file.inputs, options)
    with TemporaryDirectory(prefix="splitpose-") as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(file.measured)
        try:
            return target.run(copy, file.inputs, options)
        except InputError as error:
            raise InputError(str(error).replace(str(copy), str(path))) from error


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
        signature=file.resolved.signature,
        other_signatures=list(file.resolved.others) or None,
        input_shapes={name: list(shape) for name, shape in file.resolved.shapes.items()},
    )


def _throughput(latency: Latency, macs: int) -> Throughput:
    """Add the operations per second, and their share of the device's float32 peak, to a latency."""
    gflops = 2 * macs / (latency.p50_ms * 1e6) if latency.p50_ms else 0.0
    peak = latency.float32_peak_gflops
    share = round(gflops / peak, 3) if peak else None
    return Throughput(**latency.model_dump(), gflops=round(gflops, 2), share_of_float32_peak=share)
