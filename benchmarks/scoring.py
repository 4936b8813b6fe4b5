"""Measure the speed of scoring: the bootstrap compared with its unavoidable steps, and `splitpose score`.

    python benchmarks/scoring.py [--people 1016] [--resamples 10000] [--variants 5]

People and errors are random with a fixed seed. Each time is that of the fastest of several rounds, in which
all steps alternate.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table

from splitpose.evaluation import predictions
from splitpose.evaluation.paired_differences import paired_differences
from splitpose.evaluation.summary import summarise
from splitpose.skeleton import JOINTS

THRESHOLDS = (0.05, 0.1, 0.2)
ROUNDS = 5


def main() -> None:
    """Measure the times and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=1016, help="FLIC's test rows by default")
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--variants", type=int, default=5, help="number of variants that are compared in pairs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        steps = bootstrap_steps(options.people, options.resamples, options.variants)
        processes = commands(Path(folder), options.people)
        seconds = best_of(steps | processes)
    show("bootstrap", {name: seconds[name] for name in steps}, options)
    show("command", {name: seconds[name] for name in processes}, options)


def bootstrap_steps(people: int, resamples: int, variants: int) -> dict[str, Callable[[], object]]:
    """Return the steps to time in this process; the first is the reference of the others."""
    rng = np.random.default_rng(0)
    errors = {f"variant {n}": rng.exponential(0.1, (people, len(JOINTS))) for n in range(variants)}
    single = errors["variant 0"]
    images = np.arange(people) * 926 // 1016  # FLIC's 1,016 test people are in 926 images
    weights = np.ones((resamples, people), np.float32)
    columns = np.ones((people, len(JOINTS) * (len(THRESHOLDS) + 2)), np.float32)
    shares = np.full(people, 1 / people)
    return {
        "one matrix product of all weights": lambda: weights @ columns,
        "all draws, not counted": lambda: rng.integers(people, size=(resamples, people)),
        "all draws by NumPy's multinomial": lambda: rng.multinomial(people, shares, size=resamples),
        "summarise": lambda: summarise(single, THRESHOLDS, resamples, 0),
        "summarise, clustered by image": lambda: summarise(single, THRESHOLDS, resamples, 0, images),
        f"paired differences of {variants} variants": lambda: paired_differences(errors, THRESHOLDS, resamples, 0),
    }


def commands(folder: Path, people: int) -> dict[str, Callable[[], object]]:
    """Return the processes to time from start to end; the first is the reference of the others."""
    rng = np.random.default_rng(0)
    annotated = rng.uniform(0, 400, (people, len(JOINTS), 2))
    ids = [f"person-{n}" for n in range(people)]
    files = [folder / "annotations.csv", folder / "predictions.csv"]
    for path, joints in zip(files, (annotated, annotated + rng.normal(0, 10, annotated.shape)), strict=True):
        predictions.write(ids, joints, path)
    score = ["splitpose", "score", "--annotations", str(files[0]), "--predictions", str(files[1])]
    call = "import sys; from splitpose.cli import main; sys.exit(main(sys.argv[2:]))"
    return {
        "python without imports": lambda: run("pass"),
        "python importing numpy": lambda: run("import numpy"),
        "python importing pandas": lambda: run("import pandas"),
        "splitpose score": lambda: run(call, *score),
    }


def run(code: str, *words: str) -> None:
    """Run Python code in a new process."""
    subprocess.run([sys.executable, "-c", code, *words], check=True, stdout=subprocess.DEVNULL)


def best_of(steps: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the seconds of each step's fastest round."""
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start = perf_counter()
            step()
            best[name] = min(best[name], perf_counter() - start)
    return best


def show(title: str, seconds: dict[str, float], options: argparse.Namespace) -> None:
    """Print milliseconds, also relative to the first step."""
    unit = next(iter(seconds.values()))
    cores = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    table = Table("", title=f"{title}: {options.people} people, {options.resamples} resamples, {cores}")
    for header in ("ms", "relative to the first"):
        table.add_column(header, justify="right")
    for name, value in seconds.items():
        table.add_row(name, f"{value * 1e3:.0f}", f"{value / unit:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
