"""comparators: measure the latency of the paper's comparators and this project's networks on the target device."""

import logging
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from splitpose.benchmark.measure import measure
from splitpose.benchmark.schema import ModelBenchmark
from splitpose.benchmark.targets import BenchmarkOptions, open_target
from splitpose.benchmark.tflite_operators import inspect_tflite
from splitpose.comparators.conversion import Network, convert_networks
from splitpose.comparators.registry import COMPARATORS
from splitpose.errors import InputError
from splitpose.files import write_json
from splitpose.models import build
from splitpose.settings import Benchmark, Params, Profile, load
from splitpose.stages.command import run

logger = logging.getLogger(__name__)

OUR_SIZE = 224
"""Side of the input of this project's networks at full size, px, as in the paper; their width multiplier is 1."""

MAX_MACS = 3e11
"""MACs of all runs of a network together, about ten seconds with one thread; larger networks have fewer runs."""

MIN_RUNS = 5


def comparators(profile: Profile, params: Path, models: Path, out: Path) -> None:
    """Benchmark the networks of the paper's Figure 1, and this project's at full size and as trained."""
    settings = load(Params, params)
    trained = {f"{variant}, as trained": models / variant / "float32.tflite" for variant in settings.variants}
    for path in trained.values():  # before the conversion, which takes minutes
        if not path.is_file():
            raise InputError(f"{path}: no such TFLite file; run `dvc repro convert`")
    networks = _describe_networks(list(settings.variants), profile)
    ours = {variant: Network(partial(build, variant), OUR_SIZE) for variant in settings.variants}

    with TemporaryDirectory() as folder:
        converted = convert_networks(ours | COMPARATORS, Path(folder))
        for name, network in converted.items():
            networks[name]["parameters"] = network.parameters
        paths = {name: network.path for name, network in converted.items()} | trained
        device, results = _measure(paths, profile.benchmark)
    provenance = {"profile": settings.profile, "device": device}
    write_json(provenance | {name: networks[name] | results[name] for name in paths}, out)


def _describe_networks(variants: list[str], profile: Profile) -> dict[str, dict[str, Any]]:
    """Return each network's kind, with the paper of comparators and the parameter count of trained variants."""
    networks: dict[str, dict[str, Any]] = {variant: {"kind": "ours"} for variant in variants}
    for name, network in COMPARATORS.items():
        networks[name] = {"kind": network.kind, "paper": network.paper, "year": network.year}
    for variant in variants:
        parameters = _count_parameters(variant, profile)
        networks[f"{variant}, as trained"] = {"kind": "ours", "as_trained": True, "parameters": parameters}
    return networks


def _count_parameters(variant: str, profile: Profile) -> int:
    """Return the number of parameters of a variant at the profile's size."""
    size, model = profile.crops.size, profile.model
    return int(build(variant, size, model.width_multiplier, model.batchnorm_momentum, model.split).count_params())


def _measure(paths: Mapping[str, Path], settings: Benchmark) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Benchmark the files; return the description of the device, and the results by network."""
    device: dict[str, Any] = {}
    results = {}
    with open_target(settings.target) as target:
        for name, path in paths.items():
            file = inspect_tflite(path)
            benchmark = measure(target, {name: path}, _options(settings, file.macs))
            device = benchmark.device.model_dump(exclude_none=True)
            results[name] = {"size": file.inputs[0].shape[1]} | _result(benchmark.models[name])
            logger.info("%s: p50 %.2f ms", name, results[name]["p50_ms"])
    return device, results


def _options(settings: Benchmark, macs: int) -> BenchmarkOptions:
    """Return the profile's options with fewer runs for networks with many MACs."""
    affordable_runs = round(MAX_MACS / max(macs, 1))
    return BenchmarkOptions(
        threads=(settings.threads[0],),
        runs=min(settings.runs, max(MIN_RUNS, affordable_runs)),
        warmup_runs=min(settings.warmup_runs, max(1, affordable_runs // 10)),
    )


def _result(benchmark: ModelBenchmark) -> dict[str, Any]:
    """Return the fields of a network's benchmark that are written to the output."""
    outside = Counter(benchmark.outside_delegate or [])
    return {
        "macs": benchmark.macs,
        "runs": benchmark.runs,
        "p50_ms": benchmark.p50_ms,
        "p95_ms": benchmark.p95_ms,
        "fully_delegated": benchmark.fully_delegated,
        "outside_delegate": dict(sorted(outside.items())),
        "threads": benchmark.threads,
    }


if __name__ == "__main__":
    run(comparators)
