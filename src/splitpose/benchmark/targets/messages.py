"""Messages that the benchmark page may post; everything else is rejected, because the page is untrusted."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from splitpose.benchmark.targets.target import BenchmarkOptions
from splitpose.settings import Strict

MAX_BYTES_PER_SAMPLE = 32
MAX_BYTES_WITHOUT_SAMPLES = 64 << 10


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("contains unprintable characters")
    return text


Text = Annotated[str, Field(max_length=300), AfterValidator(_printable)]
Number = Annotated[int, Field(ge=0, le=10**9)]
Milliseconds = Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)]
PageId = Annotated[str, Field(min_length=1, max_length=64)]


class Sender(BaseModel):
    """The sender of any message, parsed before the rest of it: the random id that the page has generated."""

    model_config = ConfigDict(strict=True, extra="ignore")

    page: PageId


class Message(Strict):
    """A message without content, and the base of all others."""

    page: PageId


class Progress(Message):
    """Number of completed runs of a job."""

    number: Number
    completed_runs: Number


class BrowserDevice(Strict):
    """Facts about the device as far as the browser reveals them."""

    cpu: Text
    architecture: Text
    cores: Annotated[int, Field(ge=1, le=4096)]
    system: Text
    runtime: Text


class Samples(Strict):
    """Times of single runs with a number of threads."""

    threads: Number
    samples_ms: list[Milliseconds]


class SustainedMedians(Strict):
    """Median times in the first and the last fifth of runs without a pause."""

    runs: Annotated[int, Field(ge=1, le=10**9)]
    fifths_ms: Annotated[list[Milliseconds], Field(min_length=2, max_length=2)]


class JobResult(Message):
    """The result of a job."""

    number: Number
    device: BrowserDevice
    by_threads: list[Samples]
    load_ms: Milliseconds
    first_run_ms: Milliseconds
    fully_delegated: bool
    sustained: SustainedMedians | None


class JobFailure(Message):
    """The reason why the page could not do a job."""

    number: Number
    error: Text


MessageType = TypeVar("MessageType", bound=BaseModel)


def parse(kind: type[MessageType], content: bytes) -> MessageType:
    """Parse a message. Raises ValueError with one line on the first invalid key."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(the whole message)"
        raise ValueError(f"{key}: {first['msg']}") from error


def max_bytes(options: BenchmarkOptions) -> int:
    """Return the maximum size of a message about a job with these options."""
    return MAX_BYTES_WITHOUT_SAMPLES + MAX_BYTES_PER_SAMPLE * len(options.threads) * options.runs


def check_result(result: JobResult, options: BenchmarkOptions) -> None:
    """Raise ValueError if a result does not have the requested threads, runs and sustained runs."""
    threads = tuple(samples.threads for samples in result.by_threads)
    counts = {len(samples.samples_ms) for samples in result.by_threads}
    if threads != options.threads or counts != {options.runs}:
        raise ValueError(f"by_threads: not {options.runs} runs with {options.threads} threads")
    if bool(options.sustained_seconds) != bool(result.sustained):
        raise ValueError("sustained: not as requested")
