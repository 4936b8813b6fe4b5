import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

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
        ("id;nose_x;nose_y\na;1;2\n", "p.csv: has no column 'id' in its header 'id;nose_x;nose_y'"),
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


def test_files_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes("id,nose_x".encode("utf-16"))
    with pytest.raises(InputError, match=r"p.csv: is not UTF-8 text; save it as CSV in UTF-8"):
        read(path)
    with pytest.raises(InputError, match="not a readable CSV"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"nowhere.csv: no such file; use a CSV with id and joint columns"):
        read(tmp_path / "nowhere.csv")
