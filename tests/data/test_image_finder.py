"""Images in the layouts of labelling tools."""

import unicodedata
from pathlib import Path

import pytest

from splitpose.data.image_finder import ImageFinder, common_root, image_folders

NFD = unicodedata.normalize("NFD", "José.jpg")


def write(root: Path, *files: str, content: str | None = None) -> None:
    """Write files that contain their own paths, or `content`."""
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file if content is None else content)


def find(root: Path, annotations: str, file_name: str, **options: Path) -> str | None:
    path = ImageFinder(image_folders(root / annotations, **options)).find(file_name)
    return path.relative_to(root).as_posix() if path else None


LAYOUTS = [
    # annotations, name of the image, files, expected
    ("people.json", "a.jpg", ["a.jpg", "images/a.jpg"], "a.jpg"),
    ("people.json", "a.jpg", ["images/a.jpg"], "images/a.jpg"),
    ("people.json", "a.jpg", ["photos/x/a.jpg"], "photos/x/a.jpg"),
    # CVAT: COCO Keypoints 1.0
    ("annotations/person_keypoints_default.json", "p.jpg", ["images/default/p.jpg"], "images/default/p.jpg"),
    ("annotations/person_keypoints_default.json", "p.jpg", ["images/p.jpg"], "images/p.jpg"),
    ("annotations/person_keypoints_Day_1.json", "p.jpg", ["images/x/p.jpg", "Day_1/p.jpg"], "Day_1/p.jpg"),
    ("annotations/instances_default.json", "x\\p.jpg", ["images/default/x/p.jpg"], "images/default/x/p.jpg"),
    # COCO
    ("annotations/person_keypoints_val2017.json", "1.jpg", ["train2017/1.jpg", "val2017/1.jpg"], "val2017/1.jpg"),
    ("annotations/instances_val2017.json", "1.jpg", ["images/x/1.jpg", "val2017/1.jpg"], "val2017/1.jpg"),
    ("annotations/train.json", "1.jpg", ["val/1.jpg", "train/1.jpg"], "train/1.jpg"),
    ("annotations/x.json", "1.jpg", ["images/1.jpg", "train/1.jpg"], "images/1.jpg"),
    ("annotations/val2017.json", "1.jpg", ["val/1.jpg"], "val/1.jpg"),
    ("annotations/val/people.json", "1.jpg", ["train/1.jpg", "val/1.jpg"], "val/1.jpg"),
    ("coco/person_keypoints.json", "1.jpg", ["images/1.jpg"], "images/1.jpg"),
    # Roboflow
    ("train/_annotations.coco.json", "a_jpg.rf.0.jpg", ["train/a_jpg.rf.0.jpg"], "train/a_jpg.rf.0.jpg"),
    # Label Studio
    ("result.json", "images/0a1b2c3d-a.jpg", ["images/0a1b2c3d-a.jpg"], "images/0a1b2c3d-a.jpg"),
    ("result.json", "images\\0a1b2c3d-a.jpg", ["images/0a1b2c3d-a.jpg"], "images/0a1b2c3d-a.jpg"),
    ("result.json", "/data/upload/1/0a1b2c3d-a.jpg", ["images/0a1b2c3d-a.jpg"], "images/0a1b2c3d-a.jpg"),
    ("result.json", "/data/upload/1/0a1b2c3d-a.jpg", ["photos/a.jpg"], "photos/a.jpg"),
    ("result.json", "/data/upload/1/0a1b2c3d-My_a_1.jpg", ["photos/My a (1).jpg"], "photos/My a (1).jpg"),
    ("result.json", "/data/local-files/?d=set%2Fa%20b.jpg", ["other/a b.jpg", "set/a b.jpg"], "set/a b.jpg"),
    ("result.json", "s3://bucket/set/a.jpg", ["a.jpg"], "a.jpg"),
    ("result.json", "https://example.org/set/a%20b.jpg?token=x", ["a b.jpg"], "a b.jpg"),
    # COCO Annotator, labelme, other machines
    ("people.json", "/datasets/people/a.jpg", ["a.jpg"], "a.jpg"),
    ("annotations/a.json", "..\\images\\a.jpg", ["images/a.jpg", "masks/a.jpg"], "images/a.jpg"),
    ("people.json", "C:\\Users\\me\\photos\\a.jpg", ["photos/a.jpg"], "photos/a.jpg"),
    ("people.json", "a%20b.jpg", ["images/a b.jpg"], "images/a b.jpg"),
    ("people.json", "a%20b.jpg", ["a%20b.jpg", "a b.jpg"], "a%20b.jpg"),
    ("people.json", "a.JPG", ["images/a.jpg"], "images/a.jpg"),
    ("people.json", "images/a.jpg", ["Images/A.JPG"], "Images/A.JPG"),
    ("people.json", "a.jpg", ["images/A.jpg", "images/a.JPG", "x/a.jpg"], "x/a.jpg"),
    ("people.json", "José.jpg", [f"images/{NFD}"], f"images/{NFD}"),
    ("people.json", NFD, ["images/JOSÉ.jpg"], "images/JOSÉ.jpg"),
    # Files that are no images
    ("people.json", "a.jpg", ["__MACOSX/a.jpg", ".thumbnails/a.jpg", "x/a.jpg"], "x/a.jpg"),
    ("people.json", "a.jpg", ["__MACOSX/a.jpg"], None),
    # Missing
    ("people.json", "a.jpg", ["b.jpg", "a.png"], None),
    ("people.json", "a/../b.jpg", ["b.jpg"], None),
    ("people.json", "a.jpg", ["a.jpg/b.jpg"], None),
    ("sub/people.json", "../a.jpg", ["a.jpg"], None),  # beside a folder that is not one of annotations
    ("people.json", "a" * 5000 + ".jpg", ["b.jpg"], None),
]  # fmt: skip


@pytest.mark.parametrize(("annotations", "name", "files", "expected"), LAYOUTS)
def test_layouts(tmp_path, annotations, name, files, expected):
    write(tmp_path, annotations, *files)
    assert find(tmp_path, annotations, name) == expected


def test_a_given_folder_is_the_only_one(tmp_path):
    write(tmp_path, "people.json", "a.jpg", "given/default/b.jpg", "given/x/c.jpg")
    options = {"images": tmp_path / "given"}
    assert find(tmp_path, "people.json", "a.jpg", **options) is None
    assert find(tmp_path, "people.json", "C.jpg", **options) == "given/x/c.jpg"
    assert find(tmp_path, "person_keypoints_default.json", "b.jpg", **options) == "given/default/b.jpg"


def test_the_boundary_is_not_left(tmp_path):
    write(tmp_path, "monday/people.json", "images/a.jpg")
    assert find(tmp_path, "monday/people.json", "a.jpg") == "images/a.jpg"
    assert find(tmp_path, "monday/people.json", "a.jpg", boundary=tmp_path / "monday") is None


def test_a_link_to_a_folder_outside_is_not_searched(tmp_path):
    write(tmp_path, "data/people.json", "secret/a.jpg")
    (tmp_path / "data/linked").symlink_to(tmp_path / "secret")
    assert find(tmp_path, "data/people.json", "a.jpg") is None
    assert find(tmp_path, "data/people.json", "../secret/a.jpg") is None
    assert find(tmp_path, "data/people.json", str(tmp_path / "secret/a.jpg")) is None
    # A folder in which images are expected may be on another disk.
    (tmp_path / "data/images").symlink_to(tmp_path / "secret")
    assert find(tmp_path, "data/people.json", "A.jpg") == "data/images/a.jpg"


def test_different_files_of_a_name_are_not_guessed(tmp_path):
    write(tmp_path, "people.json", "x/a.jpg", "y/a.jpg")
    write(tmp_path, "x/b.jpg", "y/b.jpg", content="the same")
    finder = ImageFinder([tmp_path])
    assert finder.find("b.jpg") == tmp_path / "x/b.jpg"
    assert finder.find("y/a.jpg") == finder.find("/data/Y/a.jpg") == tmp_path / "y/a.jpg"
    found = finder.find_all(["a.jpg", "b.jpg"])
    assert found.ambiguous == {"a.jpg": (tmp_path / "x/a.jpg", tmp_path / "y/a.jpg")}
    assert finder.missing_note(["a.jpg", "b.jpg"], found) == (
        f"1 of 2 images not found; 'a.jpg' may be {tmp_path}/x/a.jpg or {tmp_path}/y/a.jpg, which differ; give "
        "more of its path, or the folder of the images"
    )


def test_a_name_is_not_another_images_file(tmp_path):
    write(tmp_path, "tuesday/1.jpg", "flat/2.jpg", "3.jpg")
    names = ["monday/1.jpg", "tuesday/1.jpg", "monday/2.jpg", "tuesday/2.jpg", "images/3.jpg", "3.JPG", "3.jpg"]
    assert ImageFinder([tmp_path]).find_all(names).paths == {
        "tuesday/1.jpg": tmp_path / "tuesday/1.jpg",
        **dict.fromkeys(["images/3.jpg", "3.JPG", "3.jpg"], tmp_path / "3.jpg"),
    }


def test_without_a_search_only_the_stated_paths_are_tried(tmp_path):
    write(tmp_path, "a.jpg", "data/upload/1/b.jpg", "x/c.jpg")
    finder = ImageFinder([tmp_path], search=False)
    assert finder.find("a.jpg") == tmp_path / "a.jpg"
    assert finder.find("/data/upload/1/b.jpg") == tmp_path / "data/upload/1/b.jpg"
    assert finder.find("c.jpg") is None
    assert finder.find("A.jpg") is None


def test_missing_images_are_counted_and_the_first_one_is_explained(tmp_path):
    write(tmp_path, "annotations/people.json", "images/c.jpg")
    finder = ImageFinder(image_folders(tmp_path / "annotations/people.json"))
    names = ["x\\a.jpg", "b.jpg", "c.jpg"]
    found = finder.find_all(names)
    assert finder.missing_note(["c.jpg"], found) is None
    assert finder.missing_note(names, found) == (
        f"2 of 3 images not found; for the first one, 'x\\\\a.jpg', tried {tmp_path}/annotations/x/a.jpg, "
        f"{tmp_path}/annotations/images/x/a.jpg, {tmp_path}/images/x/a.jpg, {tmp_path}/x/a.jpg, and files of this "
        f"name below {tmp_path}"
    )
    assert finder.missing_path("x\\a.jpg") == tmp_path / "annotations/x/a.jpg"
    assert finder.missing_path("/x/a.jpg") == tmp_path / "annotations/x/a.jpg"
    assert finder.missing_path("../a/../x.jpg") == tmp_path / "annotations/../a/../x.jpg"


def test_the_common_root(tmp_path):
    assert common_root([tmp_path / "a/b", tmp_path / "a/c"]) == tmp_path / "a"


def test_a_tree_is_read_once(tmp_path, monkeypatch):
    import os

    write(tmp_path, *(f"x/{number}.jpg" for number in range(20)))
    calls = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: calls.append(path) or scandir(path))
    finder = ImageFinder([tmp_path, tmp_path / "x"])
    assert len(finder.find_all(f"{number}.JPG" for number in range(20)).paths) == 20
    assert finder.find("5.Jpg") == tmp_path / "x/5.jpg"
    assert calls == [str(tmp_path), str(tmp_path / "x")]
