"""Measurement with Python on a device; the local and ssh targets start the same runner with different commands."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from splitpose.benchmark import operator_timings
from splitpose.benchmark.schema import Device, TargetResult
from splitpose.benchmark.targets.latency_statistics import round_ms, summarise_latency, summarise_sustained
from splitpose.benchmark.targets.target import MAX_PROFILED_RUNS, BenchmarkOptions
from splitpose.benchmark.tflite_operators import InputSpec
from splitpose.errors import InputError

RUNNER = files("splitpose.benchmark.targets") / "device_runner.py"
BOOTSTRAP = "import sys; source = sys.stdin.buffer.read({}); exec(compile(source, 'runner', 'exec'))"
"""Python program for the device's command line; it reads the runner's source from its standard input."""


class RunnerError(Exception):
    """The runner's command ended without a result."""

    def __init__(self, status: int, output: str):
        super().__init__(output)
        self.status = status
        self.output = output

    @property
    def last_line(self) -> str:
        """The last line of the command's error output."""
        lines = (line.strip() for line in reversed(self.output.splitlines()))
        return next(filter(None, lines), f"exit status {self.status} without a message")


def run_on_python(
    target: str,
    python: Sequence[str],
    model: Path,
    inputs: Sequence[InputSpec],
    options: BenchmarkOptions,
    quote: Callable[[str], str] = str,
) -> TargetResult:
    """Measure a TFLite file with the device runner.

    The runner ends and removes its temporary folder as soon as its standard input ends: when the measurement is
    done, when this process is killed, or when the connection is lost.

    Args:
        target: name of the target, for the result and error messages.
        python: command that starts Python on the device; arguments are appended.
        model: the TFLite file.
        inputs: the model's inputs.
        options: numbers of threads and runs.
        quote: escapes an argument for the command's interpreter, which is a shell with ssh.

    Raises:
        RunnerError: the command ended without a result.
        InputError: the device lacks a package, or cannot run this file.
    """
    source, content = RUNNER.read_bytes(), model.read_bytes()
    job = {
        "bytes": len(content),
        "inputs": [asdict(spec) for spec in inputs],
        **asdict(options),
        "profiled_runs": min(MAX_PROFILED_RUNS, options.runs),
    }
    command = [*python, quote("-c"), quote(BOOTSTRAP.format(len(source)))]
    output = _run_command(command, source + json.dumps(job).encode() + b"\n" + content)
    if "missing_package" in output:
        raise InputError(
            f"{target}: {output['python']} has no {output['missing_package']}; "
            f"run `{output['python']} -m pip install numpy ai-edge-litert` on the device"
        )
    if "error" in output:
        raise InputError(f"{model}: does not run on {target}: {output['error']}")
    return _target_result(target, output, options.sustained_seconds)


def _run_command(command: Sequence[str], stdin: bytes) -> dict[str, Any]:
    """Run a command whose standard input stays open until it has printed, and return its last line of JSON."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        except FileNotFoundError as error:
            raise InputError(f"{command[0]}: no such program on this machine; install it") from error
        assert process.stdin and process.stdout
        with contextlib.suppress(BrokenPipeError):  # it ended early; its status and messages explain why
            process.stdin.write(stdin)
            process.stdin.flush()
        try:
            printed = process.stdout.read()
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            status = process.wait()
            process.stdout.close()
        lines = printed.splitlines()  # several if a login shell prints a greeting
        if status or not lines:
            errors.seek(0)
            raise RunnerError(status, errors.read().decode(errors="replace"))
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def _target_result(target: str, output: dict[str, Any], sustained_seconds: float) -> TargetResult:
    """Convert the runner's samples."""
    first, *_ = output["by_threads"]
    timings = operator_timings.parse(first.get("operator_table", ""))
    missing = first.get("operator_table_missing", "the runtime's profiler printed no table")
    sustained = (
        summarise_sustained(np.array(first["sustained_ms"]), sustained_seconds) if sustained_seconds else None
    )
    return TargetResult(
        device=Device(target=target, **output["device"]),
        by_threads=[
            summarise_latency(result["threads"], result["samples_ms"], round(result["peak_gflops"], 2))
            for result in output["by_threads"]
        ],
        load_ms=round_ms(first["load_ms"]),
        first_run_ms=round_ms(first["first_run_ms"]),
        peak_memory_mb=first["peak_memory_mb"],
        fully_delegated=first["delegate_partitions"] == 1 and not first["outside_delegate"],
        delegate_partitions=first["delegate_partitions"],
        outside_delegate=first["outside_delegate"],
        sustained=sustained,
        operator_timings=timings,
        operator_timings_missing=None if timings else missing,
    )
