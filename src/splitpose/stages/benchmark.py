"""benchmark: latency of a variant's TFLite files on the target device."""

from pathlib import Path

from splitpose.deploy.benchmark import measure
from splitpose.deploy.runtime import PRECISIONS
from splitpose.deploy.targets.local import Local
from splitpose.files import write_json
from splitpose.settings import Profile
from splitpose.stages.command import run


def benchmark(profile: Profile, models: Path, out: Path) -> None:
    """Time a variant's files."""
    settings = profile.benchmark
    files = {models / f"{precision}.tflite": precision for precision in PRECISIONS}
    figures = measure(Local(), list(files), settings.runs, settings.threads, settings.warm_up_runs)
    by_precision = {precision: figures[str(path)] for path, precision in files.items()}
    for precision, figure in by_precision.items():
        print(f"{models}: {precision}: p50 {figure['p50_ms']} ms, p95 {figure['p95_ms']} ms")
    write_json({"device": figures["device"], **by_precision}, out)


if __name__ == "__main__":
    run(benchmark)
