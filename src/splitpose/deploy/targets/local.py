"""This machine as the target device."""

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from splitpose.deploy.runtime import Runtime


class Local:
    """Runs TFLite files with LiteRT and XNNPACK in this process."""

    def facts(self) -> dict[str, Any]:
        """What this machine is."""
        return {
            "cpu": _cpu() or platform.machine(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "runtime": f"ai-edge-litert {version('ai-edge-litert')}, XNNPACK",
        }

    def run(
        self, model: Path, inputs: np.ndarray, threads: int, warm_up_runs: int
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Milliseconds (N,) of running the model once on each of the (N, S, S, 3) inputs; facts."""
        runtime = Runtime(model, threads)
        for number in range(warm_up_runs):
            runtime.set_input(inputs[number % len(inputs)])
            runtime.invoke()
        samples = np.empty(len(inputs))
        for number, crop in enumerate(inputs):
            runtime.set_input(crop)
            start = time.perf_counter()
            runtime.invoke()
            samples[number] = (time.perf_counter() - start) * 1e3
        return samples, {"fully_delegated": runtime.fully_delegated}


def _cpu() -> str:
    """The processor's name where Linux tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
