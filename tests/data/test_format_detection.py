"""Any source, known by what lies at a path."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.flic_archive import draw, good, save

from splitpose import annotations
from splitpose.data.format_detection import Source, detect_format
from splitpose.errors import InputError

NAMES = ["nose", "left_shoulder", "right_hip"]


def coco_json(path: Path, *file_names: str) -> Path:
    """A JSON with a person in each picture, and one more who has no joint."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"id": i, "file_name": name, "width": 100, "height": 80} for i, name in enumerate(file_names)]
    person = {
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [10, 10, 30, 40],
        "keypoints": [20, 15, 2, 30, 20, 2, 0, 0, 0],
    }
    people = [person | {"id": 7 + i, "image_id": i} for i in range(len(images))]
    people.append(people[0] | {"id": 99, "keypoints": [0] * 9})
    categories = [{"id": 1, "name": "person", "keypoints": NAMES}]
    path.write_text(json.dumps({"images": images, "annotations": people, "categories": categories}))
    return path


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((80, 100, 3), 90, np.uint8))


def all_there(source: Source) -> bool:
    return all((source.root / image).is_file() for image in source.table["image"])


def test_coco_pictures_are_beside_the_json_or_in_images(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    picture(tmp_path / "images/deep/b.jpg")
    source = detect_format(coco_json(tmp_path / "people.json", "a.jpg", "deep/b.jpg"))
    assert (source.kind, source.splits_are_cut) == ("COCO keypoints", False)
    assert source.table["image"].tolist() == ["a.jpg", "images/deep/b.jpg"]
    assert source.table["id"].tolist() == ["people-7", "people-8"]
    assert source.left_out == {"fewer than 1 joints": 1}
    assert all_there(source)


def test_coco_pictures_of_another_folder(tmp_path: Path) -> None:
    picture(tmp_path / "elsewhere/a.jpg")
    source = detect_format(coco_json(tmp_path / "annotations/people.json", "a.jpg"), tmp_path / "elsewhere")
    assert source.table["image"].tolist() == ["elsewhere/a.jpg"]
    assert source.table["id"].tolist() == ["annotations/people-7"]
    assert all_there(source)


def test_a_folder_of_json_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in ("monday", "tuesday"):
        coco_json(tmp_path / f"incoming/{day}/people.json", "a.jpg")
        picture(tmp_path / f"incoming/{day}/images/a.jpg")
    monkeypatch.chdir(tmp_path / "incoming")
    for path in (tmp_path / "incoming", Path()):
        source = detect_format(path)
        assert source.kind == "2 COCO keypoints JSONs"
        assert source.table["id"].tolist() == ["incoming/monday/people-7", "incoming/tuesday/people-7"]
        assert source.left_out == {"fewer than 1 joints": 2}
        assert all_there(source)


@pytest.mark.parametrize("place", ["", "FLIC", "FLIC/examples.mat"])
def test_flics_archive(tmp_path: Path, place: str) -> None:
    rows = good()
    draw(save(tmp_path, *rows), rows)
    source = detect_format(tmp_path / place)
    assert (source.kind, source.splits_are_cut, len(source.table)) == ("examples.mat of FLIC's layout", True, 30)
    assert all_there(source)


def test_flics_pictures_of_another_folder(tmp_path: Path) -> None:
    rows = good()
    draw(save(tmp_path, *rows), rows)
    (tmp_path / "FLIC/images").rename(tmp_path / "elsewhere")
    assert not all_there(detect_format(tmp_path))
    assert all_there(detect_format(tmp_path, tmp_path / "elsewhere"))


@pytest.mark.parametrize("name", ["annotations.parquet", "annotations.csv"])
def test_a_table_finds_its_pictures_upwards(tmp_path: Path, name: str) -> None:
    picture(tmp_path / "data/images/a.jpg")
    whole = detect_format(coco_json(tmp_path / "data/people.json", "gone.jpg", "a.jpg")).table
    path = tmp_path / "data/annotations/checked" / name
    annotations.write(whole, path)
    source = detect_format(path)
    assert source.root == tmp_path / "data"
    assert source.splits_are_cut
    assert annotations.typed(source.table).equals(whole)
    assert detect_format(path, tmp_path).root == tmp_path
    (tmp_path / "data/images/a.jpg").unlink()
    assert detect_format(path).root == path.parent


def test_a_table_without_its_columns_is_left_to_the_checks(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id\n007\n")
    assert detect_format(tmp_path / "t.csv").table["id"].tolist() == ["007"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.json", "nowhere.json: no such file or folder"),
        ("empty", "/empty: no source; give a COCO keypoints JSON or a folder of some, "),
        ("notes.txt", "/notes.txt: no source; give"),
        ("bad.csv", "/bad.csv: not a readable annotation table"),
        ("bad.parquet", "/bad.parquet: not a readable annotation table"),
        ("folder.csv", "/folder.csv: Is a directory; give an annotation table"),
        ("other", "/other: a folder with examples.mat is called FLIC or FLIC-full; rename it"),
    ],
)
def test_what_is_no_source_ends_in_one_line(tmp_path: Path, path: str, message: str) -> None:
    for folder in ("empty", "folder.csv", "other"):
        (tmp_path / folder).mkdir()
    for name in ("notes.txt", "bad.csv", "bad.parquet", "other/examples.mat"):
        (tmp_path / name).write_bytes(b'\xff\x00"\n')
    with pytest.raises(InputError) as error:
        detect_format(tmp_path / path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_of_pictures_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"elsewhere: no such folder of pictures$"):
        detect_format(coco_json(tmp_path / "people.json", "a.jpg"), tmp_path / "elsewhere")
