from pathlib import Path

import numpy as np
import pytest

from splitpose.crops.geometry import CropRegion
from splitpose.errors import InputError
from splitpose.inference.boxes import (
    InstanceBox,
    initial_region,
    match_inputs,
    one_instance_per_input,
    read_boxes,
)
from splitpose.inference.inputs import InputFile

HEADER = "image,box_x0,box_y0,box_x1,box_y1"


def write_csv(folder: Path, *lines: str, mark: str = "", end: str = "\n") -> Path:
    path = folder / "boxes.csv"
    path.write_bytes((mark + end.join(lines) + end).encode())
    return path


def input_files(*names: str) -> list[InputFile]:
    return [InputFile(Path("/in") / name, name) for name in names]


def match(path: Path, files: list[InputFile]) -> dict[str, list[tuple[str, list[float]]]]:
    """Return ids and boxes of each input's instances, by the input's name."""
    matched, _ = match_inputs(read_boxes(path), files, path)
    return {
        file.name: [(instance.id, instance.bbox.tolist()) for instance in instances]
        for file, instances in matched.items()
    }


def test_a_row_is_an_instance(tmp_path):
    path = write_csv(tmp_path, HEADER, "a.jpg,1,2,3,4", "b.jpg,5.5,6,7e1,80")
    assert match(path, input_files("a.jpg", "b.jpg")) == {
        "a.jpg": [("a.jpg", [1, 2, 3, 4])],
        "b.jpg": [("b.jpg", [5.5, 6, 70, 80])],
    }


def test_instances_of_an_image_are_numbered_in_the_order_of_the_rows(tmp_path):
    path = write_csv(tmp_path, HEADER, "a.jpg,1,2,3,4", "b.jpg,1,1,2,2", "a.jpg,5,6,7,8")
    assert match(path, input_files("a.jpg", "b.jpg")) == {
        "a.jpg": [("a.jpg@1", [1, 2, 3, 4]), ("a.jpg@2", [5, 6, 7, 8])],
        "b.jpg": [("b.jpg", [1, 1, 2, 2])],
    }


def test_ids_are_those_of_the_rows(tmp_path):
    path = write_csv(tmp_path, f"id,{HEADER}", " ann ,a.jpg,1,2,3,4", "bob,a.jpg,5,6,7,8")
    assert [id for id, _ in match(path, input_files("a.jpg"))["a.jpg"]] == ["ann", "bob"]


@pytest.mark.parametrize(("mark", "end"), [("\ufeff", "\r\n"), ("", "\r\n"), ("\ufeff", "\n")])
def test_files_from_excel_are_read(tmp_path, mark, end):
    path = write_csv(tmp_path, HEADER, "a.jpg,1,2,3,4", mark=mark, end=end)
    assert match(path, input_files("a.jpg")) == {"a.jpg": [("a.jpg", [1, 2, 3, 4])]}


def test_other_columns_quotes_and_spaces_do_not_matter(tmp_path):
    path = write_csv(tmp_path, f"score, {HEADER.replace(',', ', ')}", '0.9, "a, b.jpg", 1, 2 ,3,4')
    assert match(path, input_files("a, b.jpg")) == {"a, b.jpg": [("a, b.jpg", [1, 2, 3, 4])]}


@pytest.mark.parametrize("line", ["a.jpg,,,,", "a.jpg,nan,NaN,nan,nan", "a.jpg", "a.jpg, , , , "])
def test_a_row_without_numbers_has_no_box(tmp_path, line):
    ((_, bbox),) = match(write_csv(tmp_path, HEADER, line), input_files("a.jpg"))["a.jpg"]
    assert np.isnan(bbox).all()


def test_leading_folders_of_an_image_may_be_omitted_but_not_parts_of_a_name(tmp_path):
    path = write_csv(tmp_path, HEADER, "sub/a.jpg,1,2,3,4")
    assert list(match(path, input_files("x/sub/a.jpg", "y/a.jpg"))) == ["x/sub/a.jpg"]
    with pytest.raises(InputError, match="no row matches an input"):
        match(path, input_files("xsub/a.jpg"))
    path = write_csv(tmp_path, HEADER, "/in/a.jpg,1,2,3,4")
    assert list(match(path, input_files("a.jpg"))) == ["a.jpg"]


def test_an_ambiguous_image_is_rejected(tmp_path):
    path = write_csv(tmp_path, HEADER, "a.jpg,1,2,3,4")
    with pytest.raises(InputError) as error:
        match(path, input_files("x/a.jpg", "y/a.jpg"))
    assert str(error.value) == (
        f"{path}, line 2: image 'a.jpg' matches /in/x/a.jpg and /in/y/a.jpg; specify more of its path"
    )


def test_inputs_without_rows_are_reported_and_rows_of_other_images_ignored(tmp_path):
    path = write_csv(tmp_path, HEADER, "a.jpg,1,2,3,4", "other.jpg,1,2,3,4")
    instances, problems = match_inputs(read_boxes(path), input_files("a.jpg", "b.jpg"), path)
    assert [file.name for file in instances] == ["a.jpg"]
    assert problems == [f"/in/b.jpg: has no row in {path}"]


def test_boxes_of_other_images_are_rejected(tmp_path):
    path = write_csv(tmp_path, HEADER, "other.jpg,1,2,3,4")
    with pytest.raises(InputError) as error:
        match(path, input_files("a.jpg"))
    assert str(error.value) == (
        f"{path}: no row matches an input; the first image is 'other.jpg', the first input /in/a.jpg, whose "
        "path must end with the image"
    )


def test_a_duplicate_id_is_rejected(tmp_path):
    path = write_csv(tmp_path, f"id,{HEADER}", "ann,a.jpg,1,2,3,4", "ann,b.jpg,5,6,7,8")
    with pytest.raises(InputError, match="line 3: id 'ann' is already in line 2"):
        match(path, input_files("a.jpg", "b.jpg"))
    assert list(match(path, input_files("a.jpg"))) == ["a.jpg"]  # the other row matches no input here


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER], "has no rows, only a header"),
        ([""], "has no column 'image'"),
        ([HEADER.replace(",box_y1", ""), "a.jpg,1,2,3"], "has no column 'box_y1'"),
        (
            [HEADER.replace(",", ";"), "a.jpg;1;2;3;4"],
            "has no column 'image'; a CSV of boxes requires the columns image",
        ),
        (
            [HEADER, "a.jpg,1,2,3,4", "a.jpg,1,2,three,4"],
            ", line 3: column 'box_x1' is 'three', not a number of px",
        ),
        ([HEADER, "a.jpg,1,2,3"], ", line 2: the box (1, 2, 3, nan) is incomplete"),
        ([HEADER, "a.jpg,1,2,inf,4"], ", line 2: the box (1, 2, inf, 4) is incomplete or infinite"),
        ([HEADER, "a.jpg,1,2,1e9,4"], ", line 2: the box (1, 2, 1e+09, 4) is incomplete or infinite"),
        ([HEADER, "a.jpg,3,2,1,4"], ", line 2: the box (3, 2, 1, 4) is empty; x0 must be less than x1"),
        ([HEADER, ",1,2,3,4"], ", line 2: column 'image' is empty"),
        ([f"id,{HEADER}", " ,a.jpg,1,2,3,4"], ", line 2: column 'id' is empty"),
        ([HEADER, 'a.jpg,1,2,"3,4'], "not a readable CSV"),
    ],
)
def test_errors_name_file_line_and_column(tmp_path, lines, message):
    path = write_csv(tmp_path, *lines)
    with pytest.raises(InputError) as error:
        read_boxes(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_text_is_reported(tmp_path):
    path = tmp_path / "boxes.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(InputError, match=r"boxes.xlsx: is not UTF-8 text"):
        read_boxes(path)
    with pytest.raises(InputError, match="no such file"):
        read_boxes(tmp_path)


def test_one_instance_per_input():
    bbox = np.array([1.0, 2, 3, 4])
    image, video = input_files("a.jpg", "b.mp4")
    assert one_instance_per_input([image, video], bbox) == {
        image: [InstanceBox("a.jpg", bbox)],
        video: [InstanceBox("b.mp4", bbox)],
    }
    assert one_instance_per_input([image], None)[image] == [InstanceBox("a.jpg", None)]


def test_initial_region():
    assert initial_region(np.array([10.0, 20, 50, 40]), 100, 100, 1.5) == CropRegion(30, 30, 60)
    assert initial_region(None, 100, 60, 1.5) == CropRegion(49.5, 29.5, 100)
    assert initial_region(np.full(4, np.nan), 100, 60, 1.5) is None
