"""What a model was trained on, in numbers: a tag of its version, which outlives the annotation table."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from splitpose import annotations, paths
from splitpose.crops.instances import select_croppable
from splitpose.files import read_json
from splitpose.settings import Profile
from splitpose.tracking.model_registry import ModelRegistry
from splitpose.tracking.registered_version import RegisteredVersion

TAG = "splitpose.training_data"
"""Tag of a version: the result of `summarise` as JSON; versions of earlier releases do not have it."""


def record(root: Path, profile: Profile, registry: ModelRegistry, version: RegisteredVersion) -> None:
    """Record in the registry what the workspace's model was trained on, unless the version has a record."""
    if TAG not in version.tags:
        registry.set_tags(version, {TAG: json.dumps(summarise(root, profile))})


def read(version: RegisteredVersion) -> dict[str, Any] | None:
    """Return the record of a version, None if it has none."""
    return json.loads(version.tags[TAG]) if TAG in version.tags else None


def summarise(root: Path, profile: Profile) -> dict[str, Any]:
    """Return the numbers of instances and groups in each split, and what the training started from.

    Returns:
        {"train": {"instances", "groups"}, "val": {"instances", "groups"}, "initial_weights": text or None}.

    Raises:
        InputError: the annotation table is missing.
    """
    table = select_croppable(annotations.read(root / paths.ANNOTATION_TABLE), profile.crops.region_from)
    splits = {split: table[table["split"] == split] for split in ("train", "val")}
    counts = {
        split: {"instances": len(rows), "groups": int(rows["group"].nunique())} for split, rows in splits.items()
    }
    return {**counts, "initial_weights": _initial_weights(root, profile.gate.variant)}


def describe(summary: Mapping[str, Any]) -> str:
    """Return a record in one line."""
    train, val = summary["train"], summary["val"]
    start = summary["initial_weights"]
    return (
        f"{train['instances']:,} instances in {train['groups']:,} groups; selected on {val['instances']:,} "
        f"instances in {val['groups']:,} groups; started from {start or 'no weights'}"
    )


def _initial_weights(root: Path, variant: str) -> str | None:
    """Return the weights that training started from, e.g. "champion, version 1"; None if there were none."""
    path = root / paths.initial_weights_record(variant)
    if not path.is_file():
        return None
    origin = read_json(path, f"the stage initial_weights@{variant}")["initial_weights"]
    return f"{origin['source']}, version {origin['version']}" if origin["version"] else origin["source"]
