"""The interface of target devices."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from splitpose.benchmark.schema import TargetResult
from splitpose.benchmark.tflite_operators import InputSpec


@dataclass(frozen=True)
class BenchmarkOptions:
    """Numbers of threads and runs of a benchmark."""

    threads: tuple[int, ...] = (1,)
    """Numbers of threads, measured one after the other; everything but latency is measured with the first."""
    runs: int = 200
    warmup_runs: int = 20
    sustained_seconds: float = 0.0
    """Duration of additional runs without a pause, s; 0 skips them."""


MAX_PROFILED_RUNS = 50
"""Maximum number of runs with the profiler enabled, whose means converge quickly."""


class Target(Protocol):
    """A device that runs TFLite files."""

    def run(self, model: Path, inputs: Sequence[InputSpec], options: BenchmarkOptions) -> TargetResult:
        """Measure a TFLite file on random inputs, in a process that runs only this file.

        Nothing remains on the device, even if the measurement is interrupted.

        Raises:
            InputError: the device cannot be reached or lacks a program or package; the message states the remedy.
        """
