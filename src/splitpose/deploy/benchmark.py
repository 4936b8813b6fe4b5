"""Latency of TFLite files on a target device."""

import platform
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Target(Protocol):
    """A device that runs TFLite files."""

    def run(
        self, model: Path, inputs: np.ndarray, threads: int, warm_up_runs: int
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Milliseconds of each run, and facts about the device and how it ran the file."""


def measure(
    target: Target, model: Path, inputs: np.ndarray, threads: int, warm_up_runs: int
) -> dict[str, Any]:
    """Latency figures of one file on a target, in ms, one crop a run.

    Args:
        target: the device.
        model: TFLite file.
        inputs: (N, S, S, 3) uint8 crops, one a timed run.
        threads: of the runtime.
        warm_up_runs: runs before the clock starts.
    """
    samples, facts = target.run(model, inputs, threads, warm_up_runs)
    p50, p95 = np.percentile(samples, [50, 95])
    return {
        "p50_ms": round(float(p50), 4),
        "p95_ms": round(float(p95), 4),
        "runs": len(samples),
        "threads": threads,
        **facts,
    }


def this_machine() -> dict[str, Any]:
    """Facts about the machine that this runs on."""
    from importlib.metadata import version

    cpu = Path("/proc/cpuinfo")
    names = (
        [
            line.split(":", 1)[1].strip()
            for line in cpu.read_text().splitlines()
            if line.startswith("model name")
        ]
        if cpu.exists()
        else []
    )
    return {
        "cpu": names[0] if names else platform.processor() or platform.machine(),
        "cores": len(names) or None,
        "system": platform.platform(),
        "runtime": f"ai-edge-litert {version('ai-edge-litert')}, XNNPACK",
    }
