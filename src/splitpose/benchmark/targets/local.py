"""This machine as the target device."""

import sys
from collections.abc import Sequence
from pathlib import Path

from splitpose.benchmark.schema import TargetResult
from splitpose.benchmark.targets.python_device import RunnerError, run_on_python
from splitpose.benchmark.targets.target import BenchmarkOptions
from splitpose.benchmark.tflite_operators import InputSpec
from splitpose.errors import InputError


class Local:
    """Target that measures in a separate process with the current Python interpreter."""

    def run(self, model: Path, inputs: Sequence[InputSpec], options: BenchmarkOptions) -> TargetResult:
        """Measure a file as described in `Target.run`."""
        try:
            return run_on_python("local", [sys.executable], model, inputs, options)
        except RunnerError as error:
            raise InputError(f"{model}: the benchmark failed on this machine: {error.last_line}") from error
