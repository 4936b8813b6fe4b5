"""Changes to files outside the project rerun the stages that depend on them, and no others."""

import json
import shutil
from pathlib import Path

import cv2
import pytest
from support.tiny_project import dvc, repro, stages_run, tiny_profile, workspace

MAX_IMAGES = 60


def write_source(shared: Path, folder: Path) -> Path:
    """Copy a part of a real COCO keypoints set, whose images are then in `folder`/images."""
    content = json.loads((shared / "coco_mini" / "person_keypoints.json").read_text())
    content["images"] = content["images"][:MAX_IMAGES]
    ids = {image["id"] for image in content["images"]}
    content["annotations"] = [entry for entry in content["annotations"] if entry["image_id"] in ids]
    (folder / "images").mkdir(parents=True)
    for image in content["images"]:
        shutil.copyfile(
            shared / "coco_mini" / "images" / image["file_name"], folder / "images" / image["file_name"]
        )
    (folder / "people.json").write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def source(shared, tmp_path_factory):
    return write_source(shared, tmp_path_factory.mktemp("photographs") / "coco")


@pytest.fixture(scope="module")
def project(repository, source, tmp_path_factory):
    """A project with this source and weights, after its first run."""
    (source / "backbone.weights.h5").write_bytes(b"first")
    profile = tiny_profile(
        repository, "coco", annotations=str(source / "people.json"), images=str(source / "images")
    )
    profile["model"] |= {"backbone_weights": str(source / "backbone.weights.h5")}
    folder = workspace(repository, tmp_path_factory.mktemp("project"), ["baseline"], profile)
    assert stages_run(repro(folder, "validate")) == ["fingerprint", "download", "validate"]
    return folder


def annotated_image(source: Path) -> Path:
    content = json.loads((source / "people.json").read_text())
    annotated = {entry["image_id"] for entry in content["annotations"]}
    name = next(image["file_name"] for image in content["images"] if image["id"] in annotated)
    return source / "images" / name


def weights_fingerprint(project: Path) -> dict:
    return json.loads((project / "data" / "fingerprints" / "weights.json").read_text())


def is_outdated(project: Path, stage: str) -> bool:
    return stage in json.loads(dvc(project, "status", "--json", stage).stdout)


def test_touched_and_unused_files_rerun_nothing(project, source):
    annotated_image(source).touch()
    (source / "images" / "unused.jpg").write_bytes(b"unused")
    output = repro(project, "download")
    assert stages_run(output) == ["fingerprint"]
    assert "1 were new or changed" in output
    assert not is_outdated(project, "validate")


def test_a_replaced_image_reruns_everything_that_uses_it(project, source):
    image = annotated_image(source)
    cv2.imwrite(str(image), cv2.flip(cv2.imread(str(image)), 1))
    assert stages_run(repro(project, "download")) == ["fingerprint", "download"]
    copy = project / "data" / "raw" / "0-people" / "images" / image.name
    assert copy.read_bytes() == image.read_bytes()
    assert is_outdated(project, "validate")


def test_an_edited_json_reruns_everything_that_uses_it(project, source):
    content = json.loads((source / "people.json").read_text())
    content["annotations"][0]["keypoints"][0] += 1
    (source / "people.json").write_text(json.dumps(content))
    assert stages_run(repro(project, "download")) == ["fingerprint", "download"]


def test_other_weights_under_the_same_path_change_only_their_own_fingerprint(project, source):
    before = weights_fingerprint(project)
    (source / "backbone.weights.h5").write_bytes(b"other")
    assert stages_run(repro(project, "download")) == ["fingerprint"]
    after = weights_fingerprint(project)
    assert after["backbone_weights"] != before["backbone_weights"]
    assert after["initial_weights"] is before["initial_weights"] is None


def test_what_is_missing_is_reported_in_one_line(project, source):
    images = source / "images"
    images.rename(source / "moved")
    completed = dvc(project, "repro", "download")
    (source / "moved").rename(images)
    assert completed.returncode != 0
    assert f"source.images: {images}: no such folder; correct the path" in completed.stderr
    assert "Traceback" not in completed.stdout + completed.stderr
    assert stages_run(repro(project, "download")) == ["fingerprint"]
