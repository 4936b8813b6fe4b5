from pathlib import Path

import numpy as np
import pytest

from splitpose.crops.geometry import CropRegion
from splitpose.errors import InputError
from splitpose.inference.boxes import Person, everyone, instances_of, read, square
from splitpose.inference.inputs import Input

HEADER = "image,box_x0,box_y0,box_x1,box_y1"


def csv_of(folder: Path, *lines: str, mark: str = "", end: str = "\n") -> Path:
    path = folder / "boxes.csv"
    path.write_bytes((mark + end.join(lines) + end).encode())
    return path


def inputs(*names: str) -> list[Input]:
    return [Input(Path("/in") / name, name) for name in names]


def told(path: Path, found: list[Input]) -> dict[str, list[tuple[str, list[float]]]]:
    people, _ = instances_of(read(path), found, path)
    return {each.name: [(who.id, who.box.tolist()) for who in persons] for each, persons in people.items()}


def test_a_row_is_a_person(tmp_path):
    path = csv_of(tmp_path, HEADER, "a.jpg,1,2,3,4", "b.jpg,5.5,6,7e1,80")
    assert told(path, inputs("a.jpg", "b.jpg")) == {
        "a.jpg": [("a.jpg", [1, 2, 3, 4])],
        "b.jpg": [("b.jpg", [5.5, 6, 70, 80])],
    }


def test_several_people_of_a_picture_are_numbered_in_the_order_of_the_rows(tmp_path):
    path = csv_of(tmp_path, HEADER, "a.jpg,1,2,3,4", "b.jpg,1,1,2,2", "a.jpg,5,6,7,8")
    assert told(path, inputs("a.jpg", "b.jpg")) == {
        "a.jpg": [("a.jpg@1", [1, 2, 3, 4]), ("a.jpg@2", [5, 6, 7, 8])],
        "b.jpg": [("b.jpg", [1, 1, 2, 2])],
    }


def test_ids_are_the_rows_own(tmp_path):
    path = csv_of(tmp_path, f"id,{HEADER}", " ann ,a.jpg,1,2,3,4", "bob,a.jpg,5,6,7,8")
    assert [who for who, _ in told(path, inputs("a.jpg"))["a.jpg"]] == ["ann", "bob"]


@pytest.mark.parametrize(("mark", "end"), [("\ufeff", "\r\n"), ("", "\r\n"), ("\ufeff", "\n")])
def test_files_from_excel_are_read(tmp_path, mark, end):
    path = csv_of(tmp_path, HEADER, "a.jpg,1,2,3,4", mark=mark, end=end)
    assert told(path, inputs("a.jpg")) == {"a.jpg": [("a.jpg", [1, 2, 3, 4])]}


def test_other_columns_quotes_and_spaces_do_not_matter(tmp_path):
    path = csv_of(tmp_path, f"score, {HEADER.replace(',', ', ')}", '0.9, "a, b.jpg", 1, 2 ,3,4')
    assert told(path, inputs("a, b.jpg")) == {"a, b.jpg": [("a, b.jpg", [1, 2, 3, 4])]}


@pytest.mark.parametrize("nobody", ["a.jpg,,,,", "a.jpg,nan,NaN,nan,nan", "a.jpg", "a.jpg, , , , "])
def test_a_row_without_numbers_says_that_nobody_was_found(tmp_path, nobody):
    ((_, box),) = told(csv_of(tmp_path, HEADER, nobody), inputs("a.jpg"))["a.jpg"]
    assert np.isnan(box).all()


def test_an_images_path_may_lack_its_first_folders_but_not_parts_of_a_name(tmp_path):
    path = csv_of(tmp_path, HEADER, "sub/a.jpg,1,2,3,4")
    assert list(told(path, inputs("x/sub/a.jpg", "y/a.jpg"))) == ["x/sub/a.jpg"]
    with pytest.raises(InputError, match="no image in it is an input"):
        told(path, inputs("xsub/a.jpg"))
    path = csv_of(tmp_path, HEADER, "/in/a.jpg,1,2,3,4")
    assert list(told(path, inputs("a.jpg"))) == ["a.jpg"]


def test_an_image_that_may_be_two_is_refused(tmp_path):
    path = csv_of(tmp_path, HEADER, "a.jpg,1,2,3,4")
    with pytest.raises(InputError) as error:
        told(path, inputs("x/a.jpg", "y/a.jpg"))
    assert str(error.value) == (
        f"{path}, line 2: image 'a.jpg' may be /in/x/a.jpg or /in/y/a.jpg; give more of its path"
    )


def test_inputs_that_no_row_names_are_told_and_rows_of_other_images_pass(tmp_path):
    path = csv_of(tmp_path, HEADER, "a.jpg,1,2,3,4", "of another time.jpg,1,2,3,4")
    people, problems = instances_of(read(path), inputs("a.jpg", "b.jpg"), path)
    assert [each.name for each in people] == ["a.jpg"]
    assert problems == [f"/in/b.jpg: {path} has no row of it"]


def test_boxes_of_other_pictures_are_refused(tmp_path):
    path = csv_of(tmp_path, HEADER, "other.jpg,1,2,3,4")
    with pytest.raises(InputError) as error:
        told(path, inputs("a.jpg"))
    assert str(error.value) == (
        f"{path}: no image in it is an input; the first is 'other.jpg', the first input /in/a.jpg, whose path must "
        "end in its image"
    )


def test_an_id_that_stands_twice_is_refused(tmp_path):
    path = csv_of(tmp_path, f"id,{HEADER}", "ann,a.jpg,1,2,3,4", "ann,b.jpg,5,6,7,8")
    with pytest.raises(InputError, match="line 3: id 'ann' stands in line 2 already"):
        told(path, inputs("a.jpg", "b.jpg"))
    assert list(told(path, inputs("a.jpg"))) == ["a.jpg"]  # the other row is of no input here


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER], "has no rows, only a header"),
        ([""], "has no column 'image'"),
        ([HEADER.replace(",box_y1", ""), "a.jpg,1,2,3"], "has no column 'box_y1'"),
        (
            [HEADER.replace(",", ";"), "a.jpg;1;2;3;4"],
            "has no column 'image'; a CSV of boxes needs the columns image",
        ),
        ([HEADER, "a.jpg,1,2,3,4", "a.jpg,1,2,three,4"], ", line 3: column 'box_x1' holds 'three'"),
        ([HEADER, "a.jpg,1,2,3"], ", line 2: the box (1, 2, 3, nan) is incomplete"),
        ([HEADER, "a.jpg,1,2,inf,4"], ", line 2: the box (1, 2, inf, 4) is incomplete or infinite"),
        ([HEADER, "a.jpg,1,2,1e9,4"], ", line 2: the box (1, 2, 1e+09, 4) is incomplete or infinite"),
        ([HEADER, "a.jpg,3,2,1,4"], ", line 2: the box (3, 2, 1, 4) is empty; x0 must be less than x1"),
        ([HEADER, ",1,2,3,4"], ", line 2: column 'image' is empty"),
        ([f"id,{HEADER}", " ,a.jpg,1,2,3,4"], ", line 2: column 'id' is empty"),
        ([HEADER, 'a.jpg,1,2,"3,4'], "not a readable CSV"),
    ],
)
def test_what_is_no_box_is_named_by_file_line_and_column(tmp_path, lines, message):
    path = csv_of(tmp_path, *lines)
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "boxes.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(InputError, match=r"boxes.xlsx: is no text in UTF-8"):
        read(path)
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path)


def test_everyone_is_one_person_an_input():
    box = np.array([1.0, 2, 3, 4])
    one, two = inputs("a.jpg", "b.mp4")
    assert everyone([one, two], box) == {one: [Person("a.jpg", box)], two: [Person("b.mp4", box)]}
    assert everyone([one], None)[one] == [Person("a.jpg", None)]


def test_the_square_of_a_person():
    assert square(np.array([10.0, 20, 50, 40]), 100, 100, 1.5) == CropRegion(30, 30, 60)
    assert square(None, 100, 60, 1.5) == CropRegion(49.5, 29.5, 100)
    assert square(np.full(4, np.nan), 100, 60, 1.5) is None
