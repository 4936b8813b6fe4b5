"""benchmark: latency of a variant's TFLite files on the target device."""

from pathlib import Path

from splitpose.benchmark.measure import measure
from splitpose.benchmark.targets import Options, target_of
from splitpose.settings import PRECISIONS, Profile
from splitpose.stages.command import run


def benchmark(profile: Profile, models: Path, out: Path) -> None:
    """Time a variant's files."""
    settings = profile.benchmark
    files: dict[str, Path] = {precision: models / f"{precision}.tflite" for precision in PRECISIONS}
    options = Options(threads=tuple(settings.threads), runs=settings.runs, warmup_runs=settings.warmup_runs)
    with target_of(settings.target) as target:
        result = measure(target, files, options)
    for precision, figures in result.models.items():
        print(f"{models}: {precision}: p50 {figures.p50_ms} ms, p95 {figures.p95_ms} ms")
    result.write(out)


if __name__ == "__main__":
    run(benchmark)
