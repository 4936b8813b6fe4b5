"""benchmark: measure the latency of a variant's TFLite files on the target device."""

import logging
from pathlib import Path

from splitpose.benchmark.measure import measure
from splitpose.benchmark.targets import BenchmarkOptions, open_target
from splitpose.settings import PRECISIONS, Profile
from splitpose.stages.command import run

logger = logging.getLogger(__name__)


def benchmark(profile: Profile, models: Path, out: Path) -> None:
    """Benchmark a variant's TFLite files."""
    settings = profile.benchmark
    files: dict[str, Path] = {precision: models / f"{precision}.tflite" for precision in PRECISIONS}
    options = BenchmarkOptions(
        threads=tuple(settings.threads), runs=settings.runs, warmup_runs=settings.warmup_runs
    )
    with open_target(settings.target) as target:
        result = measure(target, files, options)
    for precision, model in result.models.items():
        logger.info("%s: %s: p50 %.3f ms, p95 %.3f ms", models.name, precision, model.p50_ms, model.p95_ms)
    result.write(out)


if __name__ == "__main__":
    run(benchmark)
