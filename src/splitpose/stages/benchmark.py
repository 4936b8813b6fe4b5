"""benchmark: latency of a variant's TFLite files on the target device."""

from pathlib import Path

import numpy as np

from splitpose.deploy.benchmark import measure, this_machine
from splitpose.deploy.runtime import Runtime
from splitpose.deploy.targets.local import Local
from splitpose.files import write_json
from splitpose.settings import Profile
from splitpose.stages.command import run

PRECISIONS = ("float32", "float16", "int8")


def benchmark(profile: Profile, models: Path, out: Path) -> None:
    """Time a variant's files."""
    settings = profile.benchmark
    figures: dict[str, object] = {"device": this_machine()}
    for precision in PRECISIONS:
        path = models / f"{precision}.tflite"
        size = Runtime(path).size
        # Noise: an all-zero picture would let a runtime take short cuts.
        inputs = np.random.default_rng(0).integers(0, 256, (settings.runs, size, size, 3), np.uint8)
        figures[precision] = measure(Local(), path, inputs, settings.threads, settings.warm_up_runs)
        print(f"{path}: {figures[precision]}")
    write_json(figures, out)


if __name__ == "__main__":
    run(benchmark)
