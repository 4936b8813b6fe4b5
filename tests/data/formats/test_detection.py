import json
import os
import shutil
from pathlib import Path

import pytest
from support import labelling_tools
from support.labelling_tools import EXPORTS, write_json

from splitpose.data.formats import detection
from splitpose.data.formats.detection import find_annotations, read_annotations
from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError

NAMES = JointNames()


def found(path: Path) -> list[tuple[str, str]]:
    """Return path and format of what was found; paths are relative to `path`."""
    return [(one.path.relative_to(path).as_posix(), one.format) for one in find_annotations(path).found]


def test_a_folder_of_all_tools_is_walked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool, write in EXPORTS.items():
        write(tmp_path / tool.replace(" ", "_"))
    walks = []
    walk = detection.os.walk
    monkeypatch.setattr(detection.os, "walk", lambda *args, **keys: walks.append(args) or walk(*args, **keys))
    assert found(tmp_path) == [
        ("COCO_Annotator/people-1.json", "COCO keypoints"),
        ("CVAT_COCO/annotations/person_keypoints_default.json", "COCO keypoints"),
        ("CVAT_XML/annotations.xml", "CVAT XML"),
        ("Label_Studio_JSON/project-29-at-2024-01-30-02-41.json", "Label Studio JSON"),
        ("Label_Studio_JSON_MIN/project-29-min.json", "Label Studio JSON"),
        ("Roboflow/train/_annotations.coco.json", "COCO keypoints"),
        ("Roboflow/valid/_annotations.coco.json", "COCO keypoints"),
        ("Ultralytics/data.yaml", "Ultralytics pose"),
        ("labelme", "labelme"),
    ]
    assert len(walks) == 1
    annotations = read_annotations(tmp_path, NAMES)
    assert len(annotations.people) == 3 * len(EXPORTS) and annotations.people["id"].is_unique
    assert annotations.joints.shape == (24, 11, 2)
    labelme = annotations.people["id"].str.startswith("labelme-")
    assert annotations.people["id"][labelme].tolist() == ["labelme-a.0", "labelme-a.1", "labelme-b.0"]
    images = annotations.people["image"][labelme].to_numpy(int)
    names = annotations.images["file_name"].to_numpy()[images].tolist()
    assert names == ["labelme/a.jpg", "labelme/a.jpg", "labelme/b.jpg"]


@pytest.mark.parametrize("tool", EXPORTS)
def test_the_content_decides_not_the_name(tmp_path: Path, tool: str) -> None:
    folder = EXPORTS[tool](tmp_path / "export")
    for one in find_annotations(folder).found:
        file = one.files[0]
        renamed = file.with_name("no suffix")
        shutil.copyfile(file, renamed)
        assert [other.format for other in find_annotations(renamed).found] == [one.format]


def test_stray_files_are_skipped_with_a_note(tmp_path: Path) -> None:
    labelling_tools.cvat_coco(tmp_path)
    for name in (
        "__MACOSX/annotations/._x.json",
        "._a.json",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        ".gitignore",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07")
    shutil.copytree(tmp_path / "annotations", tmp_path / ".ipynb_checkpoints")
    instances = labelling_tools.coco()
    for annotation in instances["annotations"]:
        del annotation["keypoints"]
    del instances["categories"][0]["keypoints"]
    captions = {key: instances[key] for key in ("images", "annotations")}
    for name, content in {
        "annotations/instances_val2017.json": instances,
        "annotations/captions_val2017.json": captions,
        "classes.json": [{"id": 1, "name": "person"}],
        "categories.json": {"categories": instances["categories"], "keypoints": []},
        "package.json": {"name": "x", "scripts": {}},
        "list.json": [],
        "text.json": "text",
    }.items():
        write_json(tmp_path / name, content)
    (tmp_path / "empty.json").touch()
    (tmp_path / "docker.yaml").write_text("services: {}\n")
    (tmp_path / "voc.xml").write_text("<annotation><filename>a.jpg</filename></annotation>")
    Path(os.fsdecode(bytes(tmp_path) + b"/z\xf1.json")).write_text("{}")
    (tmp_path / "export.zip").write_bytes(b"PK\x03\x04")
    assert found(tmp_path) == [("annotations/person_keypoints_default.json", "COCO keypoints")]
    stray = "hidden files or files of an operating system or notebook"
    assert set(find_annotations(tmp_path).notes) == {
        f"skipped {stray} (6): .ipynb_checkpoints/, __MACOSX/, .DS_Store and 3 more",
        "skipped COCO files without keypoints (2): annotations/captions_val2017.json, "
        "annotations/instances_val2017.json",
        "skipped files that are no annotations (9): categories.json, classes.json, docker.yaml and 6 more",
        "skipped archives, which must be unpacked first (1): export.zip",
    }
    assert read_annotations(tmp_path, NAMES).notes[-4:] == find_annotations(tmp_path).notes


@pytest.mark.parametrize("tool", ["CVAT COCO", "Label Studio JSON", "Label Studio JSON_MIN", "labelme", "CVAT XML"])
@pytest.mark.parametrize("share", [0.4, 0.95])
def test_a_truncated_file_is_an_error_and_never_skipped(tmp_path: Path, tool: str, share: float) -> None:
    folder = EXPORTS[tool](tmp_path / "export")
    file = find_annotations(folder).found[0].files[-1]
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    for path in (folder, file):
        with pytest.raises(InputError, match=rf"{file.name}: (damaged|Invalid JSON)") as error:
            read_annotations(path, NAMES)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.zip", b"PK\x03\x04...", r"a.zip: is an archive; unpack it and give its folder$"),
        ("a.json", b"PK\x03\x04...", r"a.json: is an archive; unpack it"),
        ("notes.txt", b"hello", r"notes.txt: no annotations found; provide a COCO keypoints JSON \(CVAT, "),
        ("a.xml", b"<html></html>", r"a.xml: no annotations found; provide"),
        ("classes.json", b'[{"id": 1}]', r"classes.json: .*provide a COCO keypoints JSON"),
        ("empty.json", b"", r"empty.json: Invalid JSON"),
    ],
)
def test_a_file_that_is_named_is_never_skipped(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_annotations(tmp_path / name, NAMES)


def test_a_folder_without_annotations_lists_what_was_skipped(tmp_path: Path) -> None:
    write_json(tmp_path / "classes.json", {"a": 1})
    with pytest.raises(
        InputError, match=r"no annotations found; skipped files that .* \(1\): classes.json; provide a COCO"
    ):
        read_annotations(tmp_path, NAMES)
    with pytest.raises(InputError, match=r"nowhere: No such file or directory; provide a COCO"):
        read_annotations(tmp_path / "nowhere", NAMES)


def test_labels_without_data_yaml_are_named(tmp_path: Path) -> None:
    (labelling_tools.ultralytics(tmp_path / "x") / "data.yaml").unlink()
    message = (
        r"skipped label files without a data.yaml that states kpt_shape \(2\): labels/train/a.txt, labels/val/b.txt"
    )
    with pytest.raises(InputError, match=message):
        read_annotations(tmp_path / "x", NAMES)


def test_coco_is_recognised_wherever_its_keypoints_are_in_the_file(tmp_path: Path) -> None:
    content = {"annotations": [{"segmentation": [1] * 50_000}]} | labelling_tools.coco()
    annotations = content.pop("annotations")
    text = json.dumps({"licenses": ["x" * 100_000], **content, "annotations": annotations})
    for encoded in (text.encode(), text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode(), b"\n " + text.encode()):
        (tmp_path / "a.json").write_bytes(encoded)
        assert found(tmp_path) == [("a.json", "COCO keypoints")]


def test_bytes_of_names_that_are_not_utf8_are_escaped(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/z\xf1.json")).write_text("{}")
    assert find_annotations(tmp_path).notes == ("skipped files that are no annotations (1): z\\xf1.json",)


def test_notes_name_the_file(tmp_path: Path) -> None:
    labelling_tools.cvat_xml(tmp_path)
    (note,) = read_annotations(tmp_path, NAMES).notes
    assert note.startswith("annotations.xml: not annotated, because no keypoint has their name: ")


def test_a_second_yaml_of_a_dataset_is_skipped(tmp_path: Path) -> None:
    labelling_tools.ultralytics(tmp_path)
    shutil.copyfile(tmp_path / "data.yaml", tmp_path / "people.yaml")
    assert found(tmp_path) == [("data.yaml", "Ultralytics pose")]
    assert find_annotations(tmp_path).notes == ("skipped further YAML files of a pose dataset (1): people.yaml",)
