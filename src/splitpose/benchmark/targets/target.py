"""What a device is to the benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from splitpose.benchmark.schema import Run
from splitpose.benchmark.tflite_operators import Input


@dataclass(frozen=True)
class Options:
    """How a file is measured."""

    threads: tuple[int, ...] = (1,)
    """Numbers of threads, one after the other; everything but latency is measured with the first."""
    runs: int = 200
    warmup_runs: int = 20
    sustained_seconds: float = 0.0
    """Of runs without a pause; 0: none."""


PROFILED_RUNS = 50
"""At most; the profiler's means settle soon."""


class Target(Protocol):
    """A device that runs TFLite files."""

    def run(self, model: Path, inputs: Sequence[Input], options: Options) -> Run:
        """Measure a file on random values of these inputs, in a process that runs this file alone.

        Raises InputError naming the device and what to do where it cannot be reached or lacks something.
        Leaves nothing behind on the device, also where it is interrupted.
        """
