"""Measuring with Python on the device: here and over ssh it is the same runner, started by another command."""

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
from splitpose.benchmark.schema import Device, Latency, Run, Sustained
from splitpose.benchmark.targets.target import PROFILED_RUNS, Options
from splitpose.benchmark.tflite_operators import Input
from splitpose.errors import InputError

RUNNER = files("splitpose.benchmark.targets") / "device_runner.py"
START = "import sys; source = sys.stdin.buffer.read({}); exec(compile(source, 'runner', 'exec'))"
"""All that the device is told on the command line; the runner comes in by its standard input."""


class DeviceError(Exception):
    """The command ended without a result."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status
        self.text = text

    @property
    def last_line(self) -> str:
        """The last line that it printed."""
        return next((line for line in reversed(self.text.splitlines()) if line.strip()), "it said nothing").strip()


def run_on_python(
    target: str,
    python: Sequence[str],
    model: Path,
    inputs: Sequence[Input],
    options: Options,
    quote: Callable[[str], str] = str,
) -> Run:
    """Measure a file with the runner.

    The runner ends, and removes what it wrote, as soon as its standard input ends: when we are done, when we are
    killed, when the connection is cut.

    Args:
        target: the device's name.
        python: command that starts Python on the device; more words follow it.
        model: a TFLite file.
        inputs: of the model.
        options: how it is measured.
        quote: makes a word safe for what takes the command; a shell in the case of ssh.

    Raises:
        DeviceError: the command ended without a result.
        InputError: the device lacks a package, or cannot run this file.
    """
    source, content = RUNNER.read_bytes(), model.read_bytes()
    job = {
        "bytes": len(content),
        "inputs": [asdict(each) for each in inputs],
        **asdict(options),
        "profiled_runs": min(PROFILED_RUNS, options.runs),
    }
    words = [*python, quote("-c"), quote(START.format(len(source)))]
    answer = _answer(words, source + json.dumps(job).encode() + b"\n" + content)
    if "missing" in answer:
        raise InputError(
            f"{target}: {answer['python']} has no {answer['missing']}; "
            f"run `{answer['python']} -m pip install numpy ai-edge-litert` there"
        )
    if "failed" in answer:
        raise InputError(f"{model}: does not run on {target}: {answer['failed']}")
    return _run(target, answer, options.sustained_seconds)


def _answer(words: Sequence[str], sent: bytes) -> dict[str, Any]:
    """What the runner printed."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        except FileNotFoundError as error:
            raise InputError(f"{words[0]}: there is no such program here; install it first") from error
        assert process.stdin and process.stdout
        with contextlib.suppress(BrokenPipeError):  # it ended early; its status and its words say why
            process.stdin.write(sent)
            process.stdin.flush()
        try:
            printed = process.stdout.read()
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            status = process.wait()
            process.stdout.close()
        lines = printed.splitlines()  # more than one where a login shell greets
        if status or not lines:
            errors.seek(0)
            raise DeviceError(status, errors.read().decode(errors="replace"))
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def _run(target: str, answer: dict[str, Any], seconds: float) -> Run:
    """The runner's raw samples as figures."""
    first, *_ = answer["by_threads"]
    times = operator_timings.parse(first.get("profile", ""))
    return Run(
        device=Device(target=target, **answer["device"]),
        by_threads=[
            latency(each["threads"], each["samples_ms"], round(each["peak_gflops"], 2))
            for each in answer["by_threads"]
        ],
        load_ms=_rounded(first["load_ms"]),
        first_run_ms=_rounded(first["first_run_ms"]),
        peak_memory_mb=first["peak_memory_mb"],
        fully_delegated=first["delegate_parts"] == 1 and not first["outside_delegate"],
        delegate_parts=first["delegate_parts"],
        outside_delegate=first["outside_delegate"],
        sustained=sustained(np.array(first["sustained_ms"]), seconds) if seconds else None,
        profile=times,
        profile_missing=None if times else first.get("profile_missing", "the runtime's profiler gave no table"),
    )


def latency(threads: int, samples: Sequence[float], peak_gflops: float | None = None) -> Latency:
    """Of the times of single runs, ms."""
    p50, p90, p95, p99 = (_rounded(ms) for ms in np.percentile(samples, [50, 90, 95, 99]))
    return Latency(
        threads=threads,
        runs=len(samples),
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        float32_peak_gflops=peak_gflops,
    )


def sustained(samples: np.ndarray, seconds: float) -> Sustained:
    """Of the times (N,), ms, of runs without a pause for so long: how the first and the last fifth differ."""
    ends = np.cumsum(samples)
    first = np.median(samples[ends <= max(ends[-1] / 5, ends[0])])
    last = np.median(samples[ends - samples >= min(ends[-1] * 4 / 5, ends[-1] - samples[-1])])
    return Sustained(
        seconds=seconds,
        runs=len(samples),
        first_fifth_p50_ms=_rounded(first),
        last_fifth_p50_ms=_rounded(last),
        slowdown=round(float(last / first), 3),
    )


def _rounded(ms: float) -> float:
    return round(float(ms), 4)
