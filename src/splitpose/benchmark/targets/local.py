"""This machine as the target device."""

import sys
from collections.abc import Sequence
from pathlib import Path

from splitpose.benchmark.schema import Run
from splitpose.benchmark.targets.python_device import DeviceError, run_on_python
from splitpose.benchmark.targets.target import Options
from splitpose.benchmark.tflite_operators import Input
from splitpose.errors import InputError


class Local:
    """Measures in a process of its own, with the Python that runs here."""

    def run(self, model: Path, inputs: Sequence[Input], options: Options) -> Run:
        """See Target."""
        try:
            return run_on_python("local", [sys.executable], model, inputs, options)
        except DeviceError as failure:
            raise InputError(f"{model}: could not be measured here: {failure.last_line}") from failure
