import cv2
import numpy as np
import pandas as pd
import pytest

from splitpose.errors import InputError
from splitpose.export.detection_images import DetectionImages
from splitpose.settings import PersonDetection


def write_grey(path, grey):
    """Write an image of one grey level, by which it is recognised."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((6, 8, 3), grey, np.uint8))


def greys(images):
    return [int(image[0, 0, 0]) for image in images]


@pytest.fixture
def table(tmp_path):
    """Three validation images, one of which has two people, and two test images."""
    splits = {"v1": "val", "v2": "val", "v3": "val", "t1": "test", "t2": "test", "x": "train"}
    rows = [{"image": f"raw/{name}.png", "split": split, "width": 8, "height": 6} for name, split in splits.items()]
    for grey, row in enumerate(rows):
        write_grey(tmp_path / row["image"], 10 * grey)
    return pd.DataFrame([*rows, rows[0]])


def detection_images(table, tmp_path, images, folder=None):
    return DetectionImages(table, tmp_path, PersonDetection(images=images, seed=1, background_images=folder))


def test_images_with_people_are_those_of_the_split_each_once(table, tmp_path):
    found = detection_images(table, tmp_path, images=9)
    assert sorted(greys(found.people("val"))) == [0, 10, 20]
    assert sorted(greys(found.people("test"))) == [30, 40]
    fewer = detection_images(table, tmp_path, images=2)
    assert greys(fewer.people("val")) == greys(found.people("val"))[:2]


def test_rendered_images_are_reproducible_and_others_for_each_split(table, tmp_path):
    (first,), (again,), (other,) = (
        detection_images(table, tmp_path, images=1).empty(split) for split in ("val", "val", "test")
    )
    assert first.shape == (480, 720, 3)
    assert (first == again).all()
    assert (first != other).any()


def test_the_images_of_a_folder_are_divided_between_the_splits(table, tmp_path):
    folder = tmp_path / "empty"
    for grey in range(5):
        write_grey(folder / "sub" / f"{grey}.png", 50 + grey)
    write_grey(folder / ".hidden" / "a.png", 99)
    (folder / "notes.txt").write_text("no image")
    found = detection_images(table, tmp_path, images=9, folder=str(folder))
    validation, test = greys(found.empty("val")), greys(found.empty("test"))
    assert (len(validation), len(test)) == (3, 2)
    assert sorted(validation + test) == [50, 51, 52, 53, 54]
    fewer = detection_images(table, tmp_path, images=1, folder=str(folder))
    assert greys(fewer.empty("val")) == validation[:1]


def test_a_folder_with_less_than_two_images_is_an_error(table, tmp_path):
    folder = tmp_path / "empty"
    write_grey(folder / "a.png", 50)
    with pytest.raises(InputError, match=r"^person_detection.background_images: .*empty: has 1 images; add images"):
        list(detection_images(table, tmp_path, images=9, folder=str(folder)).empty("val"))
