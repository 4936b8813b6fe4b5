import json
import logging

import pandas as pd
from support import damaged_coco

from splitpose import validation
from splitpose.data import coco
from splitpose.settings import CocoSource, Profile, load
from splitpose.stages.validate import validate
from splitpose.validation import ValidationResult


def test_notes_of_the_readers_are_logged_and_written(repository, tmp_path, monkeypatch, caplog):
    source, data, out = tmp_path / "source", tmp_path / "data", tmp_path / "data" / "annotations"
    damaged_coco.write_good(source)
    damaged_coco.set_value("annotations", 0, "bbox", [0, 0, 0, 0])(source)
    profile = load(Profile, repository / "profiles" / "coco.yaml")
    coco_source = CocoSource(
        kind="coco",
        annotations=str(source / coco.ANNOTATIONS),
        images=str(source / coco.IMAGES),
        min_joints=1,
        min_side=0,
        group="image",
        test_fraction=0.2,
    )
    splits = profile.validation.model_copy(update={"seed": 33})  # puts one of the three images into each split
    profile = profile.model_copy(update={"source": coco_source, "validation": splits})
    coco.copy(coco_source.sets, data / "raw")

    def accept(table, *_, **__):
        listing = pd.DataFrame({"id": []})
        return ValidationResult(table, listing, listing, listing, {"passed": True, "quarantined_rows": 0})

    monkeypatch.setattr(validation, "validate", accept)
    with caplog.at_level(logging.WARNING):
        validate(profile, data, out, tmp_path / "docs")
    note = (
        "raw/0-annotations/annotations.json: people without a bounding box (bbox is missing, null, empty, without "
        "area or of size -1): 1"
    )
    assert [record.message for record in caplog.records] == [note]
    summary = json.loads((out / "checks.json").read_text())
    assert (summary["notes"], summary["skipped"]) == ([note], {})
