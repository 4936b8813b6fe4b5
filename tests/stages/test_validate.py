"""The validate stage: notes of the readers, and corrected people that replace those of the source."""

import json
import logging
import subprocess

import cv2
import numpy as np
import pandas as pd
import pytest
from support import damaged_coco

from splitpose import annotations, validation
from splitpose.annotations import joints_of
from splitpose.data import coco
from splitpose.errors import InputError
from splitpose.settings import CocoSource, Profile, load
from splitpose.skeleton import FULL_NAMES, INDEX, JOINTS
from splitpose.stages.validate import _check_missing_files, validate
from splitpose.validation import ValidationResult

pytestmark = pytest.mark.integration

LEFT, RIGHT = [[80, 50], [90, 90], [90, 130]], [[20, 50], [10, 90], [10, 130]]
POSE = np.array([*LEFT, *RIGHT, [80, 130], [20, 130], [55, 20], [45, 20], [50, 30]])


def write_coco(path, people: dict[str, np.ndarray]) -> None:
    """Write a JSON with one person in each image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    keypoints = [np.column_stack([joints, np.full(len(JOINTS), 2)]).ravel().tolist() for joints in people.values()]
    content = {
        "images": [{"id": k, "file_name": name, "width": 100, "height": 150} for k, name in enumerate(people)],
        "categories": [{"id": 1, "name": "person", "keypoints": [FULL_NAMES[joint] for joint in JOINTS]}],
        "annotations": [
            {"id": k, "image_id": k, "category_id": 1, "keypoints": values} for k, values in enumerate(keypoints)
        ],
    }
    path.write_text(json.dumps(content))


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
        return ValidationResult(table, listing, listing, (), listing, {"passed": True, "quarantined_rows": 0})

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


def test_corrected_people_replace_those_of_the_source(repository, tmp_path, caplog):
    images = tmp_path / "own" / "images"
    images.mkdir(parents=True)
    for number in range(12):
        noise = np.random.default_rng(number).integers(0, 256, (150, 100, 3), np.uint8)
        cv2.imwrite(str(images / f"{number}.png"), noise)
    source_json = tmp_path / "own" / "people.json"
    write_coco(source_json, {f"{number}.png": POSE for number in range(12)})
    profile = load(Profile, repository / "profiles" / "coco.yaml")
    paths = {"annotations": {"train": [str(source_json)]}, "images": [str(images)]}
    source = profile.source.model_copy(update=paths)
    splits = profile.validation.model_copy(update={"seed": 13})  # which gives each split an image
    profile = profile.model_copy(update={"source": source, "validation": splits})
    data, out = tmp_path / "data", tmp_path / "data" / "annotations"
    (data / "raw").mkdir(parents=True)
    coco.copy(source.sets, data / "raw")
    validate(profile, data, out, tmp_path / "docs")
    before = annotations.read(out / "annotations.parquet")
    assert before["replaces"].eq("").all()

    # CVAT's archive with new names, and another delivery of one of its people.
    delivery = data / "incoming" / "corrected"
    (delivery / "images" / "default").mkdir(parents=True)
    corrected = POSE + [0, 5]
    for number in range(3):
        content = (images / f"{number}.png").read_bytes()
        (delivery / "images" / "default" / f"{number:06d}.PNG").write_bytes(content)
    names = {f"{number:06d}.png": corrected for number in range(3)}
    write_coco(delivery / "annotations" / "person_keypoints_default.json", names)
    caplog.set_level(logging.INFO)
    validate(profile, data, out, tmp_path / "docs")
    after = annotations.read(out / "annotations.parquet")
    new = after[after["id"].str.startswith("incoming/")]
    assert new["replaces"].tolist() == before["id"][:3].tolist()
    assert new["image"].tolist() == [f"incoming/corrected/images/default/{number:06d}.PNG" for number in range(3)]
    for column in ("split", "group"):
        assert new[column].tolist() == before[column][:3].tolist()
    np.testing.assert_array_equal(joints_of(new)[:, INDEX["nose"]], [[50, 35]] * 3)
    assert after["id"][:9].tolist() == before["id"][3:].tolist()
    summary = json.loads((out / "checks.json").read_text())
    assert (summary["replaced_rows"], summary["quarantined_rows"]) == (3, 0)
    assert [summary["warnings"][rule] for rule in ("near_duplicate", "annotated_twice")] == [0, 0]
    assert "3 rows replaced by corrected ones of the same person and image" in caplog.text


def test_fewer_files_than_in_the_commit_are_reported_without_an_earlier_table(tmp_path, monkeypatch):
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "a.json").touch()
    (tmp_path / "incoming.dvc").write_text("outs:\n- md5: 0a.dir\n  nfiles: 2\n  path: incoming\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "incoming.dvc"], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    with pytest.raises(InputError, match=r"data.incoming: has 1 files, but 2 in git's .*; restore"):
        _check_missing_files(tmp_path, tmp_path / "annotations.parquet")
    monkeypatch.setenv("SPLITPOSE_ALLOW_FEWER", "1")
    _check_missing_files(tmp_path, tmp_path / "annotations.parquet")
    monkeypatch.delenv("SPLITPOSE_ALLOW_FEWER")
    (tmp_path / "annotations.parquet").touch()  # its people are compared instead
    _check_missing_files(tmp_path, tmp_path / "annotations.parquet")
