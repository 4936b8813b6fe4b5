"""Speed of a model alone, with which the benchmarks compare the software around it."""

from pathlib import Path
from time import perf_counter

import numpy as np

from splitpose.inference.runtime import Runtime


def measure_model(path: Path, threads: int, seconds: float) -> float:
    """Return the runs per second of the TFLite file's interpreter on one crop, measured for `seconds`."""
    runtime = Runtime(path, threads)
    crop = np.random.default_rng(0).integers(0, 256, (1, runtime.size, runtime.size, 3), np.uint8)
    runtime.run(crop)
    runs, start = 0, perf_counter()
    while perf_counter() - start < seconds:
        runtime.run(crop)
        runs += 1
    return runs / (perf_counter() - start)
