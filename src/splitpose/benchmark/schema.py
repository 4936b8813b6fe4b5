"""What a benchmark tells of TFLite files: the JSON's fixed, strict schema, used to write and to read it.

The times, ms, are of one run of the model on one input; half of the runs took no longer than p50_ms.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveInt, ValidationError

from splitpose.errors import InputError
from splitpose.files import read_json, write_json
from splitpose.settings import Strict

VERSION = 1
"""Raised whenever a key changes its meaning or goes away."""


class Format(Strict):
    """What kind of file this is."""

    name: str = "splitpose benchmark"
    version: Annotated[int, Field(ge=VERSION, le=VERSION)] = VERSION


class Device(Strict):
    """The device and what runs the files there; what it does not tell is left out."""

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
    """Time of a run with some number of threads, after the warm-up."""

    threads: PositiveInt
    runs: PositiveInt
    p50_ms: NonNegativeFloat
    p90_ms: NonNegativeFloat | None = None
    p95_ms: NonNegativeFloat
    p99_ms: NonNegativeFloat | None = None
    float32_peak_gflops: NonNegativeFloat | None = None
    """The best that NumPy reached there in a product of float32 matrices with as many threads."""


class Speed(Latency):
    """Latency as work done: a multiply-add is two operations, 1 GFLOP/s is 1e9 of them a second."""

    gflops: NonNegativeFloat
    share_of_float32_peak: NonNegativeFloat | None = None
    """Over 1 is possible for int8, whose multiply-adds are cheaper than those of float32."""


class Sustained(Strict):
    """Runs without a pause: a device that gets hot and throttles is slower in the last fifth."""

    seconds: NonNegativeFloat
    runs: PositiveInt
    first_fifth_p50_ms: NonNegativeFloat
    last_fifth_p50_ms: NonNegativeFloat
    slowdown: NonNegativeFloat
    """Last over first."""


class OperatorTime(Strict):
    """Mean time of one operator, with the runtime's profiler switched on; the runtime rounds to microseconds."""

    name: str
    ms: NonNegativeFloat


class OperatorCount(Strict):
    """All operators of a type in the file."""

    name: str
    count: PositiveInt
    multiply_adds: NonNegativeInt


class Measured(Strict):
    """What a target measures of a file, with the first number of threads, beside its latency."""

    load_ms: NonNegativeFloat
    """Reading the file, preparing the delegate and its memory; not the start of the process or the runtime."""
    first_run_ms: NonNegativeFloat
    peak_memory_mb: NonNegativeFloat | None = None
    """Peak of resident memory, less what the process held before it read the file; MiB."""
    fully_delegated: bool
    delegate_parts: NonNegativeInt | None = None
    """None where only `fully_delegated` is known."""
    outside_delegate: list[str] | None = None
    """Types of the operators that the delegate leaves to the runtime's own kernels, one a operator."""
    sustained: Sustained | None = None
    profile: list[OperatorTime]
    """In the order in which they run."""
    profile_missing: str | None = None
    """Why the profile is empty."""


class Run(Measured):
    """What a target measured of one file, and the device that it is."""

    device: Device
    by_threads: Annotated[list[Latency], Field(min_length=1)]


class Figures(Measured, Speed):
    """Everything of one file; the latency is that of the first number of threads."""

    bytes: PositiveInt
    sha256: str
    multiply_adds: NonNegativeInt
    operators: list[OperatorCount]
    warmup_runs: NonNegativeInt
    init_ms: NonNegativeFloat
    """load_ms and first_run_ms together: how long a user waits for the first answer."""
    by_threads: list[Speed]


class Benchmark(BaseModel):
    """The file: `format`, `device`, and the figures of each model under its name."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Figures] = Field(init=False)

    format: Format = Format()
    device: Device

    @property
    def models(self) -> dict[str, Figures]:
        """Figures by the model's name."""
        return dict(self.__pydantic_extra__)

    def write(self, path: Path) -> None:
        """Write it as JSON; what is not known is left out."""
        write_json(self.model_dump(exclude_none=True), path)

    @classmethod
    def read(cls, path: Path) -> "Benchmark":
        """Read a file. Raises InputError naming it and the first bad key."""
        content: Any = read_json(path, produced_by="`splitpose benchmark`")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "(the whole file)"
            raise InputError(f"{path}: {key}: {first['msg']}; run the benchmark again") from error
