"""The comparison of all variants, reports/comparison.json, from each variant's scores, parity and benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splitpose.errors import InputError
from splitpose.evaluation.repeat_scores import RepeatScores
from splitpose.settings import PRECISIONS

PROTOCOL = ("n", "without_torso", "torso", "viewpoint", "bootstrap_cluster", "flip_test")
"""Keys of the metrics that must be equal for all variants; otherwise their scores are not comparable."""


@dataclass(frozen=True)
class JsonFile:
    """The content of a JSON file, with its path for error messages."""

    path: Path
    content: Any

    def get(self, *keys: str) -> Any:
        """Return the value under nested keys.

        Raises:
            InputError: a key is missing; names the file and the key.
        """
        value = self.content
        for depth, key in enumerate(keys, start=1):
            if not isinstance(value, dict) or key not in value:
                raise InputError(f"{self.path}: has no {'.'.join(keys[:depth])!r}")
            value = value[key]
        return value


@dataclass(frozen=True)
class VariantResults:
    """Results of the stages for one variant. The three files are those of the repeat that is exported."""

    metrics: JsonFile
    parity: JsonFile
    benchmark: JsonFile
    exported: int
    """Number of the repeat that is exported."""
    repeated: RepeatScores | None
    """The scores over several repeats; None for one repeat, whose scores are in the metrics."""


def compare(profile: str, results: Mapping[str, VariantResults]) -> dict[str, Any]:
    """Return the content of comparison.json: percentages 0-100, latencies in ms, sizes in bytes.

    Scores are means over the repeats, with intervals over people and seeds. Those of one repeat are the scores in
    its metrics, with intervals over people only. A variant's "seeds" states which, with the repeats' scores:
    {"count", "exported": number of the exported repeat, "covered": whether the intervals cover seeds,
    "pck_0.2_mean": percent of each repeat}, and for several repeats also `RepeatScores.ranges`.

    Args:
        profile: name of the profile.
        results: results by variant, in the order of the comparison.

    Raises:
        InputError: a key is missing in a file, or two variants were not scored in the same way.
    """
    _check_protocol({variant: result.metrics for variant, result in results.items()})
    return {
        "profile": profile,
        "variants": {variant: _compare_variant(result) for variant, result in results.items()},
    }


def _check_protocol(metrics: Mapping[str, JsonFile]) -> None:
    """Check that all variants were scored in the same way."""
    first, reference = next(iter(metrics.items()))
    for file in metrics.values():
        for key in PROTOCOL:
            if file.get(key) != reference.get(key):
                raise InputError(
                    f"{file.path}: {key} is {file.get(key)}, but {reference.get(key)} for {first}; "
                    "evaluate all variants in the same way"
                )


def _compare_variant(result: VariantResults) -> dict[str, Any]:
    """Return one variant's entry of comparison.json."""
    metrics, parity, benchmark = result.metrics, result.parity, result.benchmark
    scores = metrics if result.repeated is None else JsonFile(metrics.path, result.repeated.summary)
    return {
        "parameters": metrics.get("parameters"),
        "macs": metrics.get("macs"),
        "pck": {
            threshold: {**percentages, "ci95": scores.get("ci95", threshold)}
            for threshold, percentages in scores.get("pck").items()
        },
        "auc": scores.get("auc"),
        "seeds": _describe_seeds(result),
        "train_loss": metrics.get("train_loss"),
        "val_loss": metrics.get("val_loss"),
        "tflite": {
            precision: {
                "bytes": parity.get(precision, "bytes"),
                "pck_0.2_mean": parity.get(precision, "pck_0.2_mean"),
                "p50_ms": benchmark.get(precision, "p50_ms"),
                "p95_ms": benchmark.get(precision, "p95_ms"),
                "fully_delegated": benchmark.get(precision, "fully_delegated"),
            }
            for precision in PRECISIONS
        },
    }


def _describe_seeds(result: VariantResults) -> dict[str, Any]:
    """Return the entry "seeds" of a variant."""
    repeated = result.repeated
    scores = [result.metrics.get("pck", "0.2", "mean")] if repeated is None else repeated.by_repeat
    return {
        "count": len(scores),
        "exported": result.exported,
        "covered": repeated is not None,
        "pck_0.2_mean": scores,
        **({} if repeated is None else repeated.ranges),
    }
