"""New annotated images in data/incoming/ are added to the splits; unchanged results are reused."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.tiny_project import dvc, hashes, repro, workspace

from splitpose import annotations
from splitpose.annotations import joints_of
from splitpose.skeleton import FULL_NAMES, INDEX, JOINTS


def add_incoming(incoming: Path, table) -> None:
    """Write three people as COCO keypoints, with images of noise; the last person has no wrists."""
    (incoming / "monday" / "images").mkdir(parents=True)
    joints = joints_of(table)[:3]
    people = []
    for k, points in enumerate(joints):
        image = np.random.default_rng(k).integers(0, 256, (480, 720, 3), np.uint8)
        cv2.imwrite(str(incoming / "monday" / "images" / f"{k}.png"), image)
        visibility = [0 if k == 2 and joint in ("lwri", "rwri") else 2 for joint in JOINTS]
        keypoints = np.column_stack([np.clip(points, 0, [719, 479]), visibility]).ravel().tolist()
        people.append({"id": k, "image_id": k, "category_id": 1, "keypoints": keypoints})
    content = {
        "images": [{"id": k, "file_name": f"{k}.png", "width": 720, "height": 480} for k in range(3)],
        "categories": [{"id": 1, "name": "person", "keypoints": [FULL_NAMES[joint] for joint in JOINTS]}],
        "annotations": people,
    }
    (incoming / "monday" / "people.json").write_text(json.dumps(content))


def shards(folder: Path) -> dict[str, int]:
    """Return name and modification time of every shard of crops."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "data" / "crops").glob("*.tfrecord")}


@pytest.fixture(scope="module")
def extended(repository, tmp_path_factory):
    """Return a project that was run again with three more people, its files before, and the second run's output."""
    folder = workspace(repository, tmp_path_factory.mktemp("extended"), ["baseline"])
    repro(folder, "augment")
    before = shards(folder)
    add_incoming(
        folder / "data" / "incoming", annotations.read(folder / "data" / "annotations" / "annotations.parquet")
    )
    return folder, before, repro(folder, "augment")


def test_new_people_are_added_to_the_splits_with_their_source(extended):
    folder, _, _ = extended
    table = annotations.read(folder / "data" / "annotations" / "annotations.parquet")
    new = table[table["image"].str.startswith("incoming/monday/images/")]
    assert new["id"].tolist() == [f"incoming/monday/people-{k}" for k in range(3)]
    assert new["group"].tolist() == [f"incoming/{k}.png" for k in range(3)]
    # With seed 11, the split numbers of the groups are 0.88, 0.79 and 0.14; test ends at 0.2, val at 0.32.
    assert new["split"].tolist() == ["train", "train", "test"]
    assert np.isnan(joints_of(new)[2, INDEX["lwri"]]).all()
    others = table[~table.index.isin(new.index)]
    assert others["image"].str.startswith("raw/FLIC/images/").all()
    # Sides are the observer's, as in the source.
    assert (new["lsho_x"] >= new["rsho_x"]).all()
    checks = json.loads((folder / "data" / "annotations" / "checks.json").read_text())
    assert checks["sources"] == {"incoming/monday": 3, "raw": len(others) + checks["quarantined_rows"]}


def test_existing_crops_are_kept(extended):
    folder, before, output = extended
    after = shards(folder)
    assert before.items() <= after.items()
    assert sorted(name.split("-")[0] for name in after.keys() - before.keys()) == ["test", "train"]
    assert "(4 new, " in output
    assert "(1 new, " in output


def test_the_bytes_are_those_of_a_run_from_scratch(extended, repository, tmp_path):
    folder, _, _ = extended
    fresh = workspace(repository, tmp_path, ["baseline"])
    shutil.copytree(folder / "data" / "incoming", fresh / "data" / "incoming", dirs_exist_ok=True)
    repro(fresh, "augment")
    assert hashes(fresh) == hashes(folder)


def test_an_invalid_file_stops_the_run_with_its_name_and_loses_nothing(extended):
    folder, _, _ = extended
    before = shards(folder)
    invalid = folder / "data" / "incoming" / "invalid.json"
    invalid.write_text('{"images": [], "annotations": [{"keypoints": [')  # truncated
    completed = dvc(folder, "repro", "augment")
    invalid.unlink()
    assert completed.returncode != 0
    assert "error: data/incoming/invalid.json: " in completed.stderr
    assert "Traceback" not in completed.stdout + completed.stderr
    assert shards(folder) == before


def test_missing_people_stop_the_run_unless_they_are_accepted(extended, monkeypatch):
    folder, _, _ = extended
    annotated = folder / "data" / "annotations"
    before = {path.name: path.read_bytes() for path in annotated.iterdir()}
    image = folder / "data" / "incoming" / "monday" / "images" / "1.png"
    content = image.read_bytes()
    image.unlink()
    completed = dvc(folder, "repro", "augment")
    assert completed.returncode != 0
    assert (
        "error: data/incoming: 1 of the 3 people of the previous run are missing (incoming/monday/people.json 1); "
    ) in completed.stderr
    assert "Traceback" not in completed.stdout + completed.stderr
    assert {path.name: path.read_bytes() for path in annotated.iterdir()} == before
    monkeypatch.setenv("SPLITPOSE_ALLOW_FEWER", "1")
    assert "people.json 1); accepted" in repro(folder, "validate")
    monkeypatch.delenv("SPLITPOSE_ALLOW_FEWER")
    image.write_bytes(content)
    repro(folder, "validate")
    assert {path.name: path.read_bytes() for path in annotated.iterdir()} == before
