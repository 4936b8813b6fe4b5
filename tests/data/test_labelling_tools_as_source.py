"""Annotations of labelling tools as source, in data/incoming/ and in `splitpose check`."""

from pathlib import Path

import numpy as np
import pytest
from support import labelling_tools
from support.labelling_tools import EXPORTS

from splitpose.annotations import BOX_COLUMNS, joints_of
from splitpose.data import coco, incoming
from splitpose.data.fingerprint import FileHashes, fingerprint_source
from splitpose.data.format_detection import detect_format
from splitpose.data.formats import saved_set
from splitpose.data.formats.detection import read_annotations
from splitpose.data.joint_names import JointNames
from splitpose.data.people import ReadOptions
from splitpose.errors import InputError
from splitpose.settings import CocoSource, Incoming
from splitpose.skeleton import INDEX

OPTIONS = ReadOptions(min_joints=1, min_side=0)
NAMES = JointNames()


def source(annotations: Path, images: Path, joint_map: object = None) -> CocoSource:
    return CocoSource.model_validate(
        {
            "kind": "coco", "annotations": str(annotations), "images": str(images), "min_joints": 1,
            "min_side": 0.0, "group": "image", "test_fraction": 0.2, "joint_map": joint_map,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "file", "images", "prefix"),
    [
        ("labelme", "", "", "a.0"),
        ("Ultralytics", "data.yaml", "", "train/a.0"),
        ("Ultralytics", "", "", "data-train/a.0"),
        ("CVAT XML", "annotations.xml", "images", "0.0"),
        ("COCO Annotator", "people-1.json", "", "1"),
        ("Roboflow", "", "", "train/_annotations.coco-1"),
    ],
)
def test_annotations_are_copied_and_read(tmp_path: Path, tool: str, file: str, images: str, prefix: str) -> None:
    folder = EXPORTS[tool](tmp_path / "export")
    sets = source(folder / file, folder / images).sets
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    coco.copy(sets, raw)
    result = coco.read_all(sets, raw, OPTIONS)
    table = result.table
    assert len(table) == 3 and table["id"][0].endswith(f"-{prefix}")
    np.testing.assert_allclose(joints_of(table)[0, INDEX["nose"]], [20, 16])
    assert np.isnan(joints_of(table)[2, INDEX["rhip"]]).all()
    np.testing.assert_allclose(table[BOX_COLUMNS].to_numpy()[1], [59.5, 11.5, 89.5, 67.5])
    assert all((tmp_path / "data" / image).is_file() for image in table["image"])


def test_a_set_is_saved_exactly(tmp_path: Path) -> None:
    annotations = read_annotations(labelling_tools.cvat_xml(tmp_path / "export"), NAMES)
    annotations.people.loc[1, BOX_COLUMNS] = np.nan
    annotations.joints[0, 0] = 1 / 3, 1e-7
    saved_set.save(annotations, tmp_path / "set.json")
    loaded = saved_set.load(tmp_path / "set.json")
    np.testing.assert_array_equal(loaded.joints, annotations.joints)
    assert loaded.images.to_dict() == annotations.images.to_dict()
    assert loaded.people.fillna(-1).to_dict() == annotations.people.fillna(-1).to_dict()
    assert (loaded.skipped, loaded.notes) == (annotations.skipped, annotations.notes)


def test_a_joint_map_is_applied_once(tmp_path: Path) -> None:
    folder = labelling_tools.ultralytics(tmp_path / "export")
    swap = JointNames({"lsho": "right_hip", "rhip": "left_shoulder"})
    sets = source(folder / "data.yaml", folder).sets
    raw = tmp_path / "raw"
    raw.mkdir()
    coco.copy(sets, raw, swap)
    joints = joints_of(coco.read_all(sets, raw, OPTIONS, swap).table)
    np.testing.assert_allclose(joints[0, [INDEX["lsho"], INDEX["rhip"]]], [[25, 48], [30, 24]])


def test_the_fingerprint_covers_all_annotation_files(tmp_path: Path) -> None:
    for tool, file, changed in (
        ("labelme", "", "b.json"), ("Ultralytics", "data.yaml", "labels/val/b.txt"),
        ("CVAT XML", "", "annotations.xml"),
    ):  # fmt: skip
        folder = EXPORTS[tool](tmp_path / tool)
        settings = source(folder / file, folder)

        def fingerprint(settings: CocoSource = settings, tool: str = tool) -> dict:
            hashes = FileHashes(tmp_path / f"{tool}.json")
            result = fingerprint_source(settings, hashes)
            hashes.save()
            return result["sets"][0]

        first = fingerprint()
        assert first["images"] == 2 and fingerprint() == first
        (folder / changed).write_text((folder / changed).read_text() + "\n")
        second = fingerprint()
        assert second["annotations"] != first["annotations"]
        assert second["images_sha256"] == first["images_sha256"]


def test_a_changed_joint_map_reads_the_annotations_again(tmp_path: Path) -> None:
    folder = labelling_tools.ultralytics(tmp_path / "export", names=False)
    hashes = FileHashes(tmp_path / "state.json")
    with pytest.raises(InputError, match="--joint-map"):
        fingerprint_source(source(folder / "data.yaml", folder), hashes)
    result = fingerprint_source(source(folder / "data.yaml", folder, {"nose": 0}), hashes)
    assert result["sets"][0]["images"] == 2


def read_incoming(data: Path, joint_map: object = None):
    settings = Incoming.model_validate(
        {
            "min_joints": 1, "min_side": 1.0, "group": "image", "test_fraction": 0.2, "validation_fraction": 0.2,
            "joint_map": joint_map,
        }
    )  # fmt: skip
    return incoming.read(data / "incoming", data, settings, "person", seed=0)


def test_all_tools_work_in_incoming(tmp_path: Path) -> None:
    for tool, write in EXPORTS.items():
        write(tmp_path / "incoming" / tool)
    (tmp_path / "incoming" / ".gitignore").touch()
    (tmp_path / "incoming" / "labelme" / "._a.json").touch()
    results = read_incoming(tmp_path)
    assert sum(len(result.table) for result in results) == 24
    assert (
        "skipped hidden files or files of an operating system or notebook (1): labelme/._a.json" in results[0].notes
    )
    assert all(incoming.is_incoming(result.table).all() for result in results)


def test_files_directly_in_incoming_are_incoming(tmp_path: Path) -> None:
    labelling_tools.labelme(tmp_path / "incoming")
    (result,) = read_incoming(tmp_path)
    assert result.table["id"].tolist() == ["incoming-a.0", "incoming-a.1", "incoming-b.0"]
    assert incoming.is_incoming(result.table).all()
    assert read_incoming(tmp_path / "other") == []


def test_the_joint_map_of_incoming(tmp_path: Path) -> None:
    labelling_tools.ultralytics(tmp_path / "incoming" / "monday", names=False)
    with pytest.raises(InputError, match=r"monday/data.yaml: no keypoint has the name"):
        read_incoming(tmp_path)
    (result,) = read_incoming(tmp_path, {"nose": 0, "lsho": 1})
    np.testing.assert_allclose(joints_of(result.table)[0, INDEX["lsho"]], [30, 24])


@pytest.mark.parametrize("tool", EXPORTS)
def test_check_reads_every_tool(tmp_path: Path, tool: str) -> None:
    folder = EXPORTS[tool](tmp_path / "export")
    detected = detect_format(folder)
    assert len(detected.table) == 3 and not detected.has_splits
    assert detected.table["id"][0].startswith("export")


def test_check_with_a_joint_map(tmp_path: Path) -> None:
    folder = labelling_tools.ultralytics(tmp_path / "export", names=False)
    detected = detect_format(folder, joint_map={"nose": "0"})
    assert detected.format == "Ultralytics pose (3 files)"
    assert any(": not annotated, because no keypoint has their name: " in note for note in detected.notes)
