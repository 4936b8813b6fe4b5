"""Detection of the annotation format at a path."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.flic_archive import save, valid_rows, write_images

from splitpose import annotations
from splitpose.data.format_detection import DetectedSource, detect_format
from splitpose.errors import InputError

NAMES = ["nose", "left_shoulder", "right_hip"]


def write_coco(path: Path, *file_names: str) -> Path:
    """Write a JSON with an instance in each image, and one more without joints."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"id": i, "file_name": name, "width": 100, "height": 80} for i, name in enumerate(file_names)]
    annotation = {
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [10, 10, 30, 40],
        "keypoints": [20, 15, 2, 30, 20, 2, 0, 0, 0],
    }
    annotations = [annotation | {"id": 7 + i, "image_id": i} for i in range(len(images))]
    annotations.append(annotations[0] | {"id": 99, "keypoints": [0] * 9})
    categories = [{"id": 1, "name": "person", "keypoints": NAMES}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def write_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((80, 100, 3), 90, np.uint8))


def images_exist(source: DetectedSource) -> bool:
    return all((source.root / image).is_file() for image in source.table["image"])


def test_coco_images_are_beside_the_json_or_in_images(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg")
    write_image(tmp_path / "images/deep/b.jpg")
    source = detect_format(write_coco(tmp_path / "people.json", "a.jpg", "deep/b.jpg"))
    assert (source.format, source.has_splits) == ("COCO keypoints", False)
    assert source.table["image"].tolist() == ["a.jpg", "images/deep/b.jpg"]
    assert source.table["id"].tolist() == ["people-7", "people-8"]
    assert source.skipped == {"no annotated joints": 1}
    assert images_exist(source)


def test_coco_images_in_another_folder(tmp_path: Path) -> None:
    write_image(tmp_path / "elsewhere/a.jpg")
    source = detect_format(write_coco(tmp_path / "annotations/people.json", "a.jpg"), tmp_path / "elsewhere")
    assert source.table["image"].tolist() == ["elsewhere/a.jpg"]
    assert source.table["id"].tolist() == ["annotations/people-7"]
    assert images_exist(source)


def test_coco_images_are_in_the_folder_of_the_subset(tmp_path: Path) -> None:
    path = write_coco(tmp_path / "annotations/person_keypoints_default.json", "a.jpg", "b.jpg")
    for name in "ab":
        write_image(tmp_path / f"images/default/{name}.jpg")
    for place in (tmp_path, path):
        source = detect_format(place)
        assert images_exist(source)
        assert source.table["image"].tolist() == ["images/default/a.jpg", "images/default/b.jpg"] or (
            place == tmp_path and source.table["image"].str.endswith("images/default/a.jpg").any()
        )


def test_a_folder_with_json_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in ("monday", "tuesday"):
        write_coco(tmp_path / f"incoming/{day}/people.json", "a.jpg")
        write_image(tmp_path / f"incoming/{day}/images/a.jpg")
    monkeypatch.chdir(tmp_path / "incoming")
    for path in (tmp_path / "incoming", Path()):
        source = detect_format(path)
        assert source.format == "COCO keypoints (2 files)"
        assert source.table["id"].tolist() == ["incoming/monday/people-7", "incoming/tuesday/people-7"]
        assert source.skipped == {"no annotated joints": 2}
        assert images_exist(source)


@pytest.mark.parametrize("place", ["", "FLIC", "FLIC/examples.mat"])
def test_flic_archive(tmp_path: Path, place: str) -> None:
    rows = valid_rows()
    write_images(save(tmp_path, *rows), rows)
    source = detect_format(tmp_path / place)
    assert (source.format, source.has_splits, len(source.table)) == ("FLIC (examples.mat)", True, 30)
    assert images_exist(source)


def test_flic_images_in_another_folder(tmp_path: Path) -> None:
    rows = valid_rows()
    write_images(save(tmp_path, *rows), rows)
    (tmp_path / "FLIC/images").rename(tmp_path / "elsewhere")
    assert not images_exist(detect_format(tmp_path))
    assert images_exist(detect_format(tmp_path, tmp_path / "elsewhere"))


@pytest.mark.parametrize("name", ["annotations.parquet", "annotations.csv"])
def test_images_of_a_table_are_searched_in_the_folders_above_it(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / "data/images/a.jpg")
    table = detect_format(write_coco(tmp_path / "data/people.json", "gone.jpg", "a.jpg")).table
    path = tmp_path / "data/annotations/checked" / name
    annotations.write(table, path)
    source = detect_format(path)
    assert source.root == tmp_path / "data"
    assert source.has_splits
    assert annotations.cast_columns(source.table).equals(table)
    assert detect_format(path, tmp_path).root == tmp_path
    (tmp_path / "data/images/a.jpg").unlink()
    assert detect_format(path).root == path.parent


def test_missing_columns_of_a_table_are_left_to_validation(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id\n007\n")
    assert detect_format(tmp_path / "t.csv").table["id"].tolist() == ["007"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.json", "nowhere.json: no such file or folder"),
        ("empty", "/empty: no annotations found; provide a COCO keypoints JSON (CVAT, Label Studio, "),
        ("notes.txt", "/notes.txt: no annotations found; provide"),
        ("bad.csv", "/bad.csv: not a readable annotation table"),
        ("bad.parquet", "/bad.parquet: not a readable annotation table"),
        ("folder.csv", "/folder.csv: Is a directory; provide an annotation table"),
        ("other", "/other: contains examples.mat but is not named FLIC or FLIC-full; rename the folder"),
    ],
)
def test_other_files_are_a_one_line_error(tmp_path: Path, path: str, message: str) -> None:
    for folder in ("empty", "folder.csv", "other"):
        (tmp_path / folder).mkdir()
    for name in ("notes.txt", "bad.csv", "bad.parquet", "other/examples.mat"):
        (tmp_path / name).write_bytes(b'\xff\x00"\n')
    with pytest.raises(InputError) as error:
        detect_format(tmp_path / path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_folder_of_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"elsewhere: no such folder of images$"):
        detect_format(write_coco(tmp_path / "people.json", "a.jpg"), tmp_path / "elsewhere")
