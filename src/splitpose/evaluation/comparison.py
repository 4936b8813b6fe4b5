"""What all variants scored, side by side: reports/comparison.json.

Metrics, parity and benchmark are files of their own, one a variant, so that a changed variant reruns
alone; here they come together.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splitpose.errors import InputError
from splitpose.files import read_json
from splitpose.settings import PRECISIONS

PROTOCOL = ("n", "without_torso", "torso", "viewpoint", "bootstrap_cluster", "flip_test")
"""What must be the same in the metrics of all variants, or their scores cannot stand side by side."""


@dataclass(frozen=True)
class Measured:
    """The JSON file that one stage wrote of one variant."""

    path: Path
    stage: str
    content: Any

    @classmethod
    def read(cls, folder: Path, stage: str, variant: str) -> "Measured":
        """Read folder/<variant>.json. Raises InputError naming the file and the stage that writes it."""
        path, stage = folder / f"{variant}.json", f"{stage}@{variant}"
        return cls(path, stage, read_json(path, produced_by=f"`dvc repro {stage}`"))

    def get(self, *keys: str) -> Any:
        """The value under nested keys. Raises InputError naming the first key that is not there."""
        value = self.content
        for depth, key in enumerate(keys, start=1):
            if not isinstance(value, dict) or key not in value:
                missing = ".".join(keys[:depth])
                raise InputError(f"{self.path}: has no {missing!r}; run `dvc repro {self.stage}`")
            value = value[key]
        return value


def compare(profile: str, variants: list[str], metrics: Path, parity: Path, benchmark: Path) -> dict[str, Any]:
    """The content of comparison.json.

    `metrics`, `parity` and `benchmark` are the folders that hold one <variant>.json each. Percentages are 0-100,
    latencies ms, sizes bytes.

    Raises InputError naming the file, and the stage that writes it, where a file is missing or broken or the
    variants were not all scored in the same way.
    """
    protocol(variants, metrics)
    return {
        "profile": profile,
        "variants": {
            variant: _entry(
                Measured.read(metrics, "evaluate", variant),
                Measured.read(parity, "convert", variant),
                Measured.read(benchmark, "benchmark", variant),
            )
            for variant in variants
        },
    }


def protocol(variants: list[str], metrics: Path) -> dict[str, Any]:
    """How the variants were scored: {"n": test people, "without_torso": those of them who are not scored,
    "torso", "viewpoint", "bootstrap_cluster", "flip_test"}.

    Raises InputError where a file is missing or broken, or two variants were not scored in the same way.
    """
    first: dict[str, Any] = {}
    for variant in variants:
        scores = Measured.read(metrics, "evaluate", variant)
        found = {key: scores.get(key) for key in PROTOCOL}
        first = first or found
        for key in PROTOCOL:
            if found[key] != first[key]:
                raise InputError(
                    f"{scores.path}: {key} is {found[key]}, but {first[key]} for {variants[0]}; "
                    "run `dvc repro`, so that all variants are scored in the same way"
                )
    return first


def _entry(scores: Measured, parity: Measured, times: Measured) -> dict[str, Any]:
    """One variant's entry."""
    return {
        "parameters": scores.get("parameters"),
        "macs": scores.get("macs"),
        "pck": {
            threshold: {**percentages, "ci95": scores.get("ci95", threshold)}
            for threshold, percentages in scores.get("pck").items()
        },
        "auc": scores.get("auc"),
        "train_loss": scores.get("train_loss"),
        "val_loss": scores.get("val_loss"),
        "tflite": {
            precision: {
                "bytes": parity.get(precision, "bytes"),
                "pck_0.2_mean": parity.get(precision, "pck_0.2_mean"),
                "p50_ms": times.get(precision, "p50_ms"),
                "p95_ms": times.get(precision, "p95_ms"),
                "fully_delegated": times.get(precision, "fully_delegated"),
            }
            for precision in PRECISIONS
        },
    }
