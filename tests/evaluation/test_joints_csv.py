import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from splitpose.data.joint_names import JointNames
from splitpose.errors import InputError
from splitpose.evaluation.joints_csv import read
from splitpose.skeleton import INDEX

Write = Callable[[str], Path]
HEADER = "id,nose_x,nose_y\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def text(content: str) -> Path:
        path = tmp_path / "p.csv"
        path.write_text(content)
        return path

    return text


def test_rows(write: Write) -> None:
    people = read(write("image,id,nose_x,nose_y,lsho_y,lsho_x\nx.jpg,007,1.5,-2,40,30\ny.jpg,7,,nan,4e1,30\n"))
    assert people.ids == ["007", "7"]
    assert people.joints.shape == (2, 11, 2)
    np.testing.assert_array_equal(people.joints[0, INDEX["nose"]], [1.5, -2])
    assert np.isnan(people.joints[1, INDEX["nose"]]).all()
    np.testing.assert_array_equal(people.joints[:, INDEX["lsho"]], [[30, 40], [30, 40]])
    assert np.isnan(people.joints[:, INDEX["rhip"]]).all()
    assert np.flatnonzero(people.columns).tolist() == sorted([INDEX["lsho"], INDEX["nose"]])
    assert people.labels is None


def test_additional_column(write: Write) -> None:
    path = write("id,nose_x,nose_y,film\na,1,2,x\nb,1,2,y\n")
    labels = read(path, "film").labels
    assert labels is not None
    assert labels.tolist() == ["x", "y"]
    with pytest.raises(InputError, match="has no column 'episode'; it has id, nose_x, nose_y, film"):
        read(path, "episode")


def test_byte_order_mark_and_spaces_are_ignored(write: Write) -> None:
    people = read(write("\ufeffid , nose_x,nose_y\r\n\r\n a ,1,2\r\n"))
    assert people.ids == ["a"]
    assert people.joints[0, INDEX["nose"]].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "p.csv: is empty; use a header with id and joint columns"),
        ("\n\n", "p.csv: is empty"),
        (HEADER, "p.csv: has a header but no rows; use"),
        ("name,nose_x,nose_y\na,1,2\n", "p.csv: has no column 'id' in its header 'name,nose_x,nose_y'"),
        ("id|nose_x|nose_y\na|1|2\n", "p.csv: has no column 'id' in its header 'id|nose_x|nose_y'; use a header"),
        ("id|nose_x|nose_y\na|1|2\n", "separated by commas, semicolons or tabs"),
        (
            "id,nose_x,nose_y\na,500,79,187,79\n",
            "p.csv, line 2: has 5 cells, the header 3; make them equal; if the numbers have decimal commas, "
            "separate the columns by semicolons",
        ),
        (
            "id,nose_x,nose_y\na;1;2\n",
            "p.csv, line 2: has 1 cells, the header 3; the header is separated by commas, this row by semicolons",
        ),
        (
            "id;nose_x;nose_y\na;1,5;2\nb;3,5;4.25\n",
            "p.csv, line 2: column 'nose_x' holds '1,5' but line 3: column 'nose_y' holds '4.25'; use the same",
        ),
        (
            "id;nose_x;nose_y\na;1,234;56\n",
            "p.csv, line 2: column 'nose_x' holds '1,234', which may mean 1.234 or 1234; save the",
        ),
        (
            "id;nose_x;nose_y\na;1.234,5;56\n",
            "line 2 (id 'a'): column 'nose_x' holds '1.234,5', which is not a number",
        ),
        (
            "id,left_shoulder_x,left_shoulder_y,lsho_x\na,1,2,3\n",
            "p.csv: columns 'left_shoulder_x' and 'lsho_x' both mean the left shoulder; keep one of them",
        ),
        (
            "id,LeftShoulder_X\na,1\n",
            "p.csv: has a column 'LeftShoulder_X' but no column 'LeftShoulder_Y'; add or remove one of them",
        ),
        (
            "id,left_wrist_x,left_wrist_y\na,1,\n",
            "p.csv, line 2 (id 'a'): column 'left_wrist_y' is empty but 'left_wrist_x' is not",
        ),
        ('{"images": []}', "p.csv: is JSON, not CSV; save it as CSV"),
        ("id,image\na,b\n", "p.csv: has no joint columns; use"),
        ("id,nose_x\na,1\n", "p.csv: has a column 'nose_x' but no column 'nose_y'; add or remove one of them"),
        ("id,nose_y\na,1\n", "p.csv: has a column 'nose_y' but no column 'nose_x'; add or remove one of them"),
        ("id,nose_x,nose_x,nose_y\na,1,1,1\n", "p.csv: has two columns 'nose_x'; keep one of them"),
        ("id,id,nose_x,nose_y\na,a,1,1\n", "p.csv: has two columns 'id'; keep one of them"),
        (HEADER + "a,1,2\nb,1\n", "p.csv, line 3: has 2 cells, the header 3"),
        (HEADER + "a,1,2,3\n", "p.csv, line 2: has 4 cells, the header 3"),
        (HEADER + ",1,2\n", "p.csv, line 2: column 'id' is empty; fill it in every row"),
        (HEADER + "a,1,2\nNaN,1,2\n", "p.csv, line 3: column 'id' is empty"),
        (HEADER + "a,1,2\n\nb,1,2\na,1,2\n", "p.csv, line 5: id 'a' is already in line 2; remove one of the rows"),
        (
            HEADER + "a,left,2\n",
            "p.csv, line 2 (id 'a'): column 'nose_x' holds 'left', which is not a number of px",
        ),
        (HEADER + "a,1,inf\n", "p.csv, line 2 (id 'a'): column 'nose_y' holds 'inf', which is not a number of px"),
        (
            HEADER + "a,1,-1e30\n",
            "p.csv, line 2 (id 'a'): column 'nose_y' holds '-1e30', which is not a number of px",
        ),
        (
            HEADER + "a,,2\n",
            "p.csv, line 2 (id 'a'): column 'nose_x' is empty but 'nose_y' is not; fill or clear both",
        ),
        (
            HEADER + "a,1,NA\n",
            "p.csv, line 2 (id 'a'): column 'nose_y' is empty but 'nose_x' is not; fill or clear both",
        ),
        (HEADER + 'a,1,"2\n', "p.csv: not a readable CSV"),
    ],
)
def test_errors_are_one_line(write: Write, content: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as error:
        read(write(content))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "CSV with semicolons and decimal commas"),
        ("utf-8-sig", "CSV with semicolons and decimal commas"),
        ("utf-16", "CSV with semicolons and decimal commas, UTF-16"),
        ("utf-32", "CSV with semicolons and decimal commas, UTF-32"),
        ("cp1252", "CSV with semicolons and decimal commas, Windows-1252"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("first_line", ["", "sep=;\n"])
def test_spreadsheets(tmp_path: Path, encoding: str, name: str, line_end: str, first_line: str) -> None:
    path = tmp_path / "p.csv"
    text = f"{first_line}id;nose_x;nose_y\nJosé;498,717;-2\nb;4,98E+02;\nc;;\n;;\n"
    path.write_bytes(text.replace(";\nc", ";3\nc").replace("\n", line_end).encode(encoding))
    people = read(path)
    assert people.format == name
    assert people.ids == ["José", "b", "c"]
    nose = people.joints[:, INDEX["nose"]]
    np.testing.assert_array_equal(nose, [[498.717, -2], [498, 3], [np.nan, np.nan]])


@pytest.mark.parametrize(
    ("text", "name", "x"),
    [
        ("id\tnose_x\tnose_y\na\t1.5\t2\n", "CSV with tabs", 1.5),
        ("id\tnose_x\tnose_y\na\t1,5\t2\n", "CSV with tabs and decimal commas", 1.5),
        ('id,nose_x,nose_y\na,"1,5",2\n', "CSV with decimal commas", 1.5),
        ("id;nose_x;nose_y\na;1.5;2\n", "CSV with semicolons", 1.5),
        ("id;nose_x;nose_y\na;1,500;2,000\n", "CSV with semicolons and decimal commas", 1.5),
        ("id,nose_x,nose_y\na,1.5,2\n", "CSV", 1.5),
    ],
)
def test_separators_and_decimal_marks(write: Write, text: str, name: str, x: float) -> None:
    people = read(write(text))
    assert (people.format, people.ids) == (name, ["a"])
    assert people.joints[0, INDEX["nose"]].tolist() == [x, 2]


@pytest.mark.parametrize(
    "header",
    [
        "left_shoulder_x,left_shoulder_y",
        "LeftShoulder_X,LeftShoulder_Y",
        "left shoulder x,left shoulder y",
        "lShoulderX,lShoulderY",
    ],
)
def test_spellings_of_joints(write: Write, header: str) -> None:
    people = read(write(f"ID,{header}\na,1,2\n"))
    assert people.joints[0, INDEX["lsho"]].tolist() == [1, 2]
    assert np.flatnonzero(people.columns).tolist() == [INDEX["lsho"]]


def test_joint_map(write: Write) -> None:
    people = read(write("id,6_x,6_y,6_confidence\na,1,2,0.5\n"), joint_names=JointNames({"lsho": "6"}))
    assert people.joints[0, INDEX["lsho"]].tolist() == [1, 2]
    assert people.confidence is not None
    assert people.confidence.tolist() == [0.5]


def test_names_that_are_nearly_a_joint(write: Write) -> None:
    people = read(write("id,region_x,left_sholder_x,left_sholder_y,nose_x,nose_y\na,0,1,2,3,4\n"))
    similar = "left_sholder_x (is it left_shoulder_x?), left_sholder_y (is it left_shoulder_y?)"
    assert people.notes == (f"columns that are no joint: {similar}",)


def test_accents_as_one_or_two_characters_are_the_same_id(write: Write) -> None:
    assert read(write("id,nose_x,nose_y\nJose\u0301,1,2\n")).ids == ["José"]


def test_optional_columns(write: Write) -> None:
    people = read(
        write(
            "id,image,frame,nose_x,nose_y,nose_confidence,lsho_confidence,box_x0,box_y0,box_x1,box_y1\n"
            "a,x.jpg,,1,2,0.5,0.75,0,0,10,20\nb,,3,1,2,,,,,,\n"
        )
    )
    assert people.confidence is not None
    assert people.boxes is not None
    np.testing.assert_array_equal(people.confidence, [0.625, np.nan])
    np.testing.assert_array_equal(people.boxes, [[0, 0, 10, 20], [np.nan] * 4])
    assert people.texts == {"image": ["x.jpg", ""], "frame": ["", "3"]}


def test_files_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes("id,nose_x".encode("utf-16-le"))  # without a byte order mark
    with pytest.raises(InputError, match=r"p.csv: is not UTF-8 text; save it as CSV in UTF-8"):
        read(path)
    path.write_bytes("id,nose_x".encode("utf-16")[:-1])
    with pytest.raises(InputError, match=r"p.csv: is not UTF-16 text; save it as CSV in UTF-8"):
        read(path)
    with pytest.raises(InputError, match="not a readable CSV"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"nowhere.csv: no such file; use a CSV with id and joint columns"):
        read(tmp_path / "nowhere.csv")
