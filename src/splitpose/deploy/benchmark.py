"""Latency of TFLite files on a target device."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from splitpose.deploy.runtime import Runtime


class Target(Protocol):
    """A device that runs TFLite files."""

    def facts(self) -> dict[str, Any]:
        """What the device is: cpu, cores, system, runtime."""

    def run(
        self, model: Path, inputs: np.ndarray, threads: int, warm_up_runs: int
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Milliseconds (N,) of running the model once on each of N inputs, and how it was run."""


def measure(target: Target, models: Sequence[Path], runs: int, threads: int, warm_up_runs: int) -> dict[str, Any]:
    """Latency of each file on a target, one crop a run, in ms.

    Args:
        target: the device.
        models: TFLite files.
        runs: that are timed, each on another crop of noise; an all-zero crop would let a runtime take short cuts.
        threads: of the runtime.
        warm_up_runs: before the clock starts.

    Returns:
        {"device": facts, name of a file: {"p50_ms", "p95_ms", "runs", "threads", "fully_delegated"}}, files named
        as they were given.
    """
    figures: dict[str, Any] = {"device": target.facts()}
    for model in models:
        size = Runtime(model).size
        inputs = np.random.default_rng(0).integers(0, 256, (runs, size, size, 3), np.uint8)
        samples, how = target.run(model, inputs, threads, warm_up_runs)
        p50, p95 = (round(float(ms), 4) for ms in np.percentile(samples, [50, 95]))
        figures[str(model)] = {"p50_ms": p50, "p95_ms": p95, "runs": runs, "threads": threads, **how}
    return figures
