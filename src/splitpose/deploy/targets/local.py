"""This machine as the target device."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from splitpose.deploy.runtime import Runtime


class Local:
    """Runs TFLite files with LiteRT and XNNPACK in this process."""

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
