"""New labelled pictures in data/incoming/ join the training rows, and what is done already is not done again."""

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


def drop(incoming: Path, table) -> None:
    """Three people as COCO keypoints, with pictures of noise; the last one has no wrists."""
    (incoming / "monday" / "images").mkdir(parents=True)
    joints = joints_of(table)[:3]
    people = []
    for k, points in enumerate(joints):
        picture = np.random.default_rng(k).integers(0, 256, (480, 720, 3), np.uint8)
        cv2.imwrite(str(incoming / "monday" / "images" / f"{k}.png"), picture)
        seen = [0 if k == 2 and joint in ("lwri", "rwri") else 2 for joint in JOINTS]
        keypoints = np.column_stack([np.clip(points, 0, [719, 479]), seen]).ravel().tolist()
        people.append({"id": k, "image_id": k, "category_id": 1, "keypoints": keypoints})
    content = {
        "images": [{"id": k, "file_name": f"{k}.png", "width": 720, "height": 480} for k in range(3)],
        "categories": [{"id": 1, "name": "person", "keypoints": [FULL_NAMES[joint] for joint in JOINTS]}],
        "annotations": people,
    }
    (incoming / "monday" / "people.json").write_text(json.dumps(content))


def shards(folder: Path) -> dict[str, int]:
    """Name and time of every file of crops."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "data" / "crops").iterdir()}


@pytest.fixture(scope="module")
def grown(repository, tmp_path_factory):
    """A project that ran, got three people more and ran again; its files before, and what the second run said."""
    folder = workspace(repository, tmp_path_factory.mktemp("grown"), ["baseline"])
    repro(folder, "augment")
    before = shards(folder)
    drop(folder / "data" / "incoming", annotations.read(folder / "data" / "annotations" / "annotations.parquet"))
    return folder, before, repro(folder, "augment")


def test_they_join_the_training_rows_and_the_table_says_where_they_came_from(grown):
    folder, _, _ = grown
    table = annotations.read(folder / "data" / "annotations" / "annotations.parquet")
    new = table[table["image"].str.startswith("incoming/monday/images/")]
    assert new["id"].tolist() == [f"incoming/monday/people-{k}" for k in range(3)]
    assert set(new["split"]) == {"train"}
    assert np.isnan(joints_of(new)[2, INDEX["lwri"]]).all()
    others = table[~table.index.isin(new.index)]
    assert others["image"].str.startswith("raw/FLIC/images/").all()
    # Sides as the observer sees them, like those of the source that they join.
    assert (new["lsho_x"] >= new["rsho_x"]).all()
    checks = json.loads((folder / "data" / "annotations" / "checks.json").read_text())
    assert checks["sources"] == {"incoming/monday": 3, "raw": len(others) + checks["quarantined_rows"]}


def test_crops_that_are_there_are_kept(grown):
    folder, before, said = grown
    after = shards(folder)
    assert before.items() <= after.items()
    (new,) = after.keys() - before.keys()
    assert new.startswith("train-")
    assert "(6 new, " in said


def test_it_gives_the_same_bytes_as_a_run_from_scratch(grown, repository, tmp_path):
    folder, _, _ = grown
    fresh = workspace(repository, tmp_path, ["baseline"])
    shutil.copytree(folder / "data" / "incoming", fresh / "data" / "incoming", dirs_exist_ok=True)
    repro(fresh, "augment")
    assert hashes(fresh) == hashes(folder)


def test_a_broken_file_stops_the_run_with_its_name_and_loses_nothing(grown):
    folder, _, _ = grown
    before = shards(folder)
    broken = folder / "data" / "incoming" / "broken.json"
    broken.write_text("{")
    done = dvc(folder, "repro", "augment")
    broken.unlink()
    assert done.returncode != 0
    assert "error: data/incoming/broken.json: " in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert shards(folder) == before
