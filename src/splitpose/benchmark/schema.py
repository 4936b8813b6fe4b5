"""The strict schema of a benchmark's JSON, used to write and to read it.

All latencies are in ms, of one run of the model on one input; p50_ms is the median over the runs.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveInt, ValidationError

from splitpose.errors import InputError
from splitpose.files import read_json, write_json
from splitpose.settings import Strict

VERSION = 2
"""Version of the schema; incremented whenever a key is removed or changes its meaning."""


class Format(Strict):
    """Identification of the file as a benchmark of this schema's version."""

    name: str = "splitpose benchmark"
    version: Annotated[int, Field(ge=VERSION, le=VERSION)] = VERSION


class Device(Strict):
    """The device, its system and the runtime; facts that a device does not report are omitted."""

    target: str
    cpu: str
    architecture: str
    cores: PositiveInt
    memory_mb: PositiveInt | None = None
    governor: str | None = None
    system: str
    runtime: str
    delegate: str


class Latency(Strict):
    """Latency percentiles with a number of threads, after the warm-up runs."""

    threads: PositiveInt
    runs: PositiveInt
    p50_ms: NonNegativeFloat
    p90_ms: NonNegativeFloat | None = None
    p95_ms: NonNegativeFloat
    p99_ms: NonNegativeFloat | None = None
    float32_peak_gflops: NonNegativeFloat | None = None
    """GFLOP/s of the fastest float32 matrix product in NumPy with the same number of threads."""


class Throughput(Latency):
    """Latency with the operations per second; a MAC counts as two operations."""

    gflops: NonNegativeFloat
    share_of_float32_peak: NonNegativeFloat | None = None
    """Ratio of gflops to float32_peak_gflops; int8 files can exceed 1, because int8 MACs are cheaper."""


class SustainedLatency(Strict):
    """Latency over runs without a pause: a device that throttles is slower in the last fifth of the time."""

    seconds: NonNegativeFloat
    runs: PositiveInt
    first_fifth_p50_ms: NonNegativeFloat
    last_fifth_p50_ms: NonNegativeFloat
    slowdown: NonNegativeFloat
    """Ratio of last_fifth_p50_ms to first_fifth_p50_ms."""


class OperatorTiming(Strict):
    """Mean time of one operator with the runtime's profiler enabled, which rounds to microseconds."""

    name: str
    ms: NonNegativeFloat


class OperatorCount(Strict):
    """Number and total MACs of a file's operators of one type."""

    name: str
    count: PositiveInt
    macs: NonNegativeInt


class Measurement(Strict):
    """Measurements of a file other than its latency, with the first number of threads."""

    load_ms: NonNegativeFloat
    """Time to read the file and to prepare the delegate and its memory, without starting process and runtime."""
    first_run_ms: NonNegativeFloat
    peak_memory_mb: NonNegativeFloat | None = None
    """Peak resident memory less the resident memory before the file was read, MiB."""
    fully_delegated: bool
    delegate_partitions: NonNegativeInt | None = None
    """Number of partitions that the delegate runs; None if only `fully_delegated` is known."""
    outside_delegate: list[str] | None = None
    """Types of the operators that the delegate leaves to the runtime's own kernels, one entry per operator."""
    sustained: SustainedLatency | None = None
    operator_timings: list[OperatorTiming]
    """Operators in run order."""
    operator_timings_missing: str | None = None
    """Reason why there are no operator timings."""


class TargetResult(Measurement):
    """Everything that a target measured of one file, and the device's facts."""

    device: Device
    by_threads: Annotated[list[Latency], Field(min_length=1)]


class ModelBenchmark(Measurement, Throughput):
    """Benchmark of one file; its latency is the one with the first number of threads."""

    bytes: PositiveInt
    sha256: str
    macs: NonNegativeInt
    operators: list[OperatorCount]
    warmup_runs: NonNegativeInt
    init_ms: NonNegativeFloat
    """Sum of load_ms and first_run_ms: the time until the first output."""
    by_threads: list[Throughput]
    signature: str | None = None
    """The signature that was measured; None if the file has none."""
    other_signatures: list[str] | None = None
    """The file's other signatures, which were not measured."""
    input_shapes: dict[str, list[int]] | None = None
    """Shape of each input by its name; None in benchmarks of earlier versions."""


class Benchmark(BaseModel):
    """The content of the file: `format`, `device`, and the benchmark of each model by its name."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, ModelBenchmark] = Field(init=False)

    format: Format = Format()
    device: Device

    @property
    def models(self) -> dict[str, ModelBenchmark]:
        """The benchmarks by the models' names."""
        return dict(self.__pydantic_extra__)

    def write(self, path: Path) -> None:
        """Write the benchmark as JSON without the keys that are None."""
        write_json(self.model_dump(exclude_none=True), path)

    @classmethod
    def read(cls, path: Path) -> "Benchmark":
        """Read a benchmark's JSON.

        Raises:
            InputError: the file is missing, not JSON, or does not conform to the schema; names the first bad key.
        """
        content: Any = read_json(path, produced_by="`splitpose benchmark`")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "(the whole file)"
            raise InputError(f"{path}: {key}: {first['msg']}; run the benchmark again") from error
