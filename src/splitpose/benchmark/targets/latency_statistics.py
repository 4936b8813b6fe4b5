"""Statistics of the times of single runs."""

from collections.abc import Sequence

import numpy as np

from splitpose.benchmark.schema import Latency, SustainedLatency


def summarise_latency(threads: int, samples: Sequence[float], peak_gflops: float | None = None) -> Latency:
    """Return the percentiles of the times of single runs, ms."""
    p50, p90, p95, p99 = (round_ms(ms) for ms in np.percentile(samples, [50, 90, 95, 99]))
    return Latency(
        threads=threads,
        runs=len(samples),
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        float32_peak_gflops=peak_gflops,
    )


def summarise_sustained(samples: np.ndarray, seconds: float) -> SustainedLatency:
    """Return the median latencies of the first and the last fifth of runs without a pause.

    Args:
        samples: (N,) times of the runs, ms.
        seconds: requested duration of all runs, s.
    """
    ends = np.cumsum(samples)
    first = np.median(samples[ends <= max(ends[-1] / 5, ends[0])])
    last = np.median(samples[ends - samples >= min(ends[-1] * 4 / 5, ends[-1] - samples[-1])])
    return compare_fifths(seconds, len(samples), float(first), float(last))


def compare_fifths(seconds: float, runs: int, first_ms: float, last_ms: float) -> SustainedLatency:
    """Return the sustained latency with the given medians, ms, of the first and the last fifth of the runs."""
    return SustainedLatency(
        seconds=seconds,
        runs=runs,
        first_fifth_p50_ms=round_ms(first_ms),
        last_fifth_p50_ms=round_ms(last_ms),
        slowdown=round(last_ms / first_ms, 3) if first_ms else 1.0,
    )


def round_ms(ms: float) -> float:
    """Round a time in ms to four decimals, 0.1 microseconds."""
    return round(float(ms), 4)
