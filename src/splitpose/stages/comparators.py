"""comparators: latency of the networks that the paper compares with, and of ours, on the target device."""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from splitpose.benchmark.measure import measure
from splitpose.benchmark.schema import Figures
from splitpose.benchmark.targets import Options, target_of
from splitpose.benchmark.tflite_operators import content
from splitpose.comparators.conversion import Network, convert
from splitpose.comparators.registry import COMPARATORS
from splitpose.files import write_json
from splitpose.models import build
from splitpose.settings import Benchmark, Params, Profile, load
from splitpose.stages.command import run

OUR_SIZE = 224
"""px, as in the paper; and MobileNet's full width."""

MAX_MACS = 3e11
"""Multiply-adds of a network's runs, about ten seconds of one thread; a network of more work gets fewer runs."""

MIN_RUNS = 5


def comparators(profile: Profile, params: Path, models: Path, out: Path) -> None:
    """Time the networks of the paper's Figure 1, and ours with and without their training."""
    chosen = load(Params, params)
    variants = list(chosen.variants)
    trained = {f"{name}, as trained": models / name / "float32.tflite" for name in variants}
    for path in trained.values():
        content(path)  # one that is missing is named now, not minutes later
    networks: dict[str, Network] = {name: Network(partial(build, name), OUR_SIZE) for name in variants}
    facts: dict[str, dict[str, Any]] = {name: {"kind": "ours"} for name in variants}
    for name, known in COMPARATORS.items():
        networks[name] = known
        facts[name] = {"kind": known.kind, "paper": known.paper, "year": known.year}

    for name, variant in zip(trained, variants, strict=True):
        facts[name] = {"kind": "ours", "as_trained": True, "parameters": _parameters(variant, profile)}

    with TemporaryDirectory() as folder:
        files = convert(networks, Path(folder))
        for name, (_, parameters) in files.items():
            facts[name]["parameters"] = parameters
        paths = {name: path for name, (path, _) in files.items()} | trained
        device, figures = _measure(paths, profile.benchmark)
    made_with = {"profile": chosen.profile, "device": device}
    write_json(made_with | {name: facts[name] | figures[name] for name in paths}, out)


def _parameters(variant: str, profile: Profile) -> int:
    size, model = profile.crops.size, profile.model
    return int(build(variant, size, model.width_multiplier, model.batchnorm_momentum, model.split).count_params())


def _measure(paths: Mapping[str, Path], settings: Benchmark) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Facts of the device, and what the file tells of each network."""
    device: dict[str, Any] = {}
    told = {}
    with target_of(settings.target) as target:
        for name, path in paths.items():
            file = content(path)
            result = measure(target, {name: path}, _options(settings, file.multiply_adds))
            device = result.device.model_dump(exclude_none=True)
            told[name] = {"size": file.inputs[0].shape[1]} | _told(result.models[name])
            print(f"{name}: p50 {told[name]['p50_ms']} ms", flush=True)
    return device, told


def _options(settings: Benchmark, multiply_adds: int) -> Options:
    """As the profile says, but fewer runs of a network that takes long."""
    affordable = round(MAX_MACS / max(multiply_adds, 1))
    return Options(
        threads=(settings.threads[0],),
        runs=min(settings.runs, max(MIN_RUNS, affordable)),
        warmup_runs=min(settings.warmup_runs, max(1, affordable // 10)),
    )


def _told(figures: Figures) -> dict[str, Any]:
    """What the file is written from of a network's figures."""
    outside = Counter(figures.outside_delegate or [])
    return {
        "multiply_adds": figures.multiply_adds,
        "runs": figures.runs,
        "p50_ms": figures.p50_ms,
        "p95_ms": figures.p95_ms,
        "fully_delegated": figures.fully_delegated,
        "outside_delegate": dict(sorted(outside.items())),
        "threads": figures.threads,
    }


if __name__ == "__main__":
    run(comparators)
