"""What all variants scored, side by side: reports/comparison.json (design contract 5).

Metrics, parity and benchmark are files of their own, one a variant, so that a changed variant reruns
alone; here they come together.
"""

from pathlib import Path
from typing import Any

from splitpose.errors import InputError
from splitpose.files import read_json

PRECISIONS = ("float32", "float16", "int8")
PROTOCOL = ("n", "torso", "viewpoint")
"""What must be the same in the metrics of all variants, or their scores cannot stand side by side."""


def compare(
    profile: str, variants: list[str], metrics: Path, parity: Path, benchmark: Path
) -> dict[str, Any]:
    """The content of comparison.json.

    `metrics`, `parity` and `benchmark` are the folders that hold one <variant>.json each (`benchmark` is that
    of one target device). Percentages are 0-100, latencies ms, sizes bytes.

    Raises InputError naming the file, and the stage that writes it, where a file is missing or broken or the
    variants were scored in different ways.
    """
    protocol(variants, metrics)
    return {
        "profile": profile,
        "variants": {variant: _variant(variant, metrics, parity, benchmark) for variant in variants},
    }


def protocol(variants: list[str], metrics: Path) -> dict[str, Any]:
    """How the variants were scored: {"n": test people, "torso", "viewpoint"}.

    Raises InputError where a file is missing or broken, or two variants were not scored in the same way.
    """
    first: dict[str, Any] = {}
    for variant in variants:
        path = metrics / f"{variant}.json"
        content = _read(path, f"evaluate@{variant}")
        found = {key: _value(content, path, f"evaluate@{variant}", key) for key in PROTOCOL}
        first = first or found
        for key in PROTOCOL:
            if found[key] != first[key]:
                raise InputError(
                    f"{path}: {key} is {found[key]} but {first[key]} for {variants[0]}; "
                    f"run `dvc repro` so that all variants are scored in the same way"
                )
    return first


def devices(variants: list[str], benchmark: Path) -> dict[str, dict[str, Any]]:
    """Facts about the device that each variant was timed on: {variant: {fact: value}}."""
    facts = {}
    for variant in variants:
        path = benchmark / f"{variant}.json"
        content = _read(path, f"benchmark@{variant}")
        facts[variant] = _value(content, path, f"benchmark@{variant}", "device")
    return facts


def _variant(variant: str, metrics: Path, parity: Path, benchmark: Path) -> dict[str, Any]:
    """One variant's entry, from its three files."""
    score_path, parity_path, time_path = (
        folder / f"{variant}.json" for folder in (metrics, parity, benchmark)
    )
    score_stage, parity_stage, time_stage = (f"{s}@{variant}" for s in ("evaluate", "convert", "benchmark"))
    score = _read(score_path, score_stage)
    files = _read(parity_path, parity_stage)
    times = _read(time_path, time_stage)

    def scored(*keys: str) -> Any:
        return _value(score, score_path, score_stage, *keys)

    return {
        "parameters": scored("parameters"),
        "macs": scored("macs"),
        "pck": {
            threshold: {**joints, "ci95": scored("ci95", threshold)}
            for threshold, joints in scored("pck").items()
        },
        "train_loss": scored("train_loss"),
        "val_loss": scored("val_loss"),
        "tflite": {
            precision: {
                **{
                    key: _value(files, parity_path, parity_stage, precision, key)
                    for key in ("bytes", "pck_0.2_mean")
                },
                **{
                    key: _value(times, time_path, time_stage, precision, key)
                    for key in ("p50_ms", "p95_ms", "fully_delegated")
                },
            }
            for precision in PRECISIONS
        },
    }


def _read(path: Path, stage: str) -> Any:
    return read_json(path, made_by=f"`dvc repro {stage}`")


def _value(content: dict[str, Any], path: Path, stage: str, *keys: str) -> Any:
    """The value under nested keys, or InputError naming the first key that is not there."""
    value: Any = content
    for depth, key in enumerate(keys, start=1):
        if not isinstance(value, dict) or key not in value:
            raise InputError(
                f"{path}: key {'.'.join(keys[:depth])!r} is missing; run `dvc repro -f -s {stage}`"
            )
        value = value[key]
    return value
