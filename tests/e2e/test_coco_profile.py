"""COCO keypoints as the source: two paths in the profile suffice to build crops from real photographs."""

import json

import pandas as pd
import pytest
from support.tiny_project import dvc, repro, tiny_profile, workspace

from splitpose import annotations
from splitpose.annotations import joints_of


@pytest.fixture
def mini(shared):
    return {
        "annotations": str(shared / "coco_mini" / "person_keypoints.json"),
        "images": str(shared / "coco_mini" / "images"),
    }


def test_annotations_and_images_are_the_only_settings_of_a_coco_source(repository, mini, tmp_path):
    folder = workspace(repository, tmp_path, ["baseline"], tiny_profile(repository, "coco", **mini))
    output = repro(folder, "augment")
    content = json.loads((folder / "data" / "raw" / "0-person_keypoints" / "annotations.json").read_text())
    checks = json.loads((folder / "data" / "annotations" / "checks.json").read_text())
    table = annotations.read(folder / "data" / "annotations" / "annotations.parquet")
    rejected = sum(checks["skipped"].values()) + checks["quarantined_rows"]
    assert len(table) + rejected == len(content["annotations"]) == 348
    assert (joints_of(table)[..., 0] > 0).sum(axis=1).min() >= 8
    assert table.groupby("image")["split"].nunique().max() == 1
    assert set(table["split"]) == {"train", "val", "test"}
    for split, people in table["split"].value_counts().items():
        assert f"of {people} instances " in next(
            line for line in output.split("\n") if line.startswith(f"{split}: ")
        )
    warnings = pd.read_csv(folder / "data" / "annotations" / "warnings.csv")
    assert set(warnings["rule"]) <= set(checks["warnings"])
    assert sorted(path.name for path in (folder / "reports" / "crops").iterdir()) == [
        "test.jpg",
        "train.jpg",
        "val.jpg",
    ]


def test_a_missing_folder_of_images_is_reported_in_one_line(repository, mini, tmp_path):
    mini["images"] = "nowhere"
    folder = workspace(repository, tmp_path, ["baseline"], tiny_profile(repository, "coco", **mini))
    completed = dvc(folder, "repro", "download")
    assert completed.returncode != 0
    assert (
        "error: profiles/sample_tiny.yaml: source.images: nowhere: no such folder; correct the path"
        in completed.stderr
    )
    assert "Traceback" not in completed.stdout + completed.stderr
    assert not (folder / "data" / "raw").exists()
