"""What a browser's page may post to the waiting command. It is untrusted: nothing else is accepted."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from splitpose.benchmark.targets.target import Options
from splitpose.settings import Strict

BYTES_A_SAMPLE, BYTES_OF_THE_REST = 32, 64 << 10


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has characters that cannot be printed")
    return text


Text = Annotated[str, Field(max_length=300), AfterValidator(_printable)]
Number = Annotated[int, Field(ge=0, le=10**9)]
Milliseconds = Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)]


Name = Annotated[str, Field(min_length=1, max_length=64)]


class Sender(BaseModel):
    """Who a post is of, whatever else is in it: the name that the page has given itself."""

    model_config = ConfigDict(strict=True, extra="ignore")

    page: Name


class Word(Strict):
    """What every post holds."""

    page: Name


class Progress(Word):
    """So many runs of a job are done."""

    number: Number
    done: Number


class Facts(Strict):
    """What a browser tells of its device."""

    cpu: Text
    architecture: Text
    cores: Annotated[int, Field(ge=1, le=4096)]
    system: Text
    runtime: Text


class Samples(Strict):
    """Times of single runs with some number of threads."""

    threads: Number
    samples_ms: list[Milliseconds]


class WithoutPause(Strict):
    """Runs without a pause, and the medians of the first and the last fifth of their time."""

    runs: Annotated[int, Field(ge=1, le=10**9)]
    fifths_ms: Annotated[list[Milliseconds], Field(min_length=2, max_length=2)]


class Found(Word):
    """A job's result."""

    number: Number
    device: Facts
    by_threads: list[Samples]
    load_ms: Milliseconds
    first_run_ms: Milliseconds
    fully_delegated: bool
    sustained: WithoutPause | None


class Failed(Word):
    """Why a job could not be done there."""

    number: Number
    failed: Text


Post = TypeVar("Post", bound=BaseModel)


def read(kind: type[Post], content: bytes) -> Post:
    """Read a post. Raises ValueError with one line on the first thing that does not fit."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole of it"
        raise ValueError(f"{key}: {first['msg']}") from error


def most_bytes(options: Options) -> int:
    """That a post may have."""
    return BYTES_OF_THE_REST + BYTES_A_SAMPLE * len(options.threads) * options.runs


def check(found: Found, options: Options) -> None:
    """Raises ValueError where a result is not of what was asked for."""
    threads = tuple(each.threads for each in found.by_threads)
    if threads != options.threads or any(len(each.samples_ms) != options.runs for each in found.by_threads):
        raise ValueError(f"by_threads: not {options.runs} runs with {options.threads} threads")
    if bool(options.sustained_seconds) != bool(found.sustained):
        raise ValueError("sustained: not what was asked for")
