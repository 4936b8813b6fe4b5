import numpy as np
import pandas as pd
import pytest

from splitpose import annotations
from splitpose.annotations import COLUMNS, JOINT_COLUMNS
from splitpose.errors import InputError


def make_table():
    row = {"id": "a", "image": "x.jpg", "width": 4, "height": 3, "split": "train", "group": "007"}
    row |= dict.fromkeys(["box_x0", "box_y0", "box_x1", "box_y1"], np.nan)
    row |= {column: float(k) for k, column in enumerate(JOINT_COLUMNS)}
    return pd.DataFrame([row])


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_written_table_is_read(tmp_path, name):
    annotations.write(make_table(), tmp_path / name)
    read = annotations.read(tmp_path / name)
    assert list(read) == [*COLUMNS, "replaces"]
    pd.testing.assert_frame_equal(read, annotations.cast_columns(make_table()))
    assert read["group"][0] == "007"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_replaced_ids_are_optional_text(tmp_path, name):
    table = pd.concat([make_table()] * 3).assign(replaces=["007", None, ""])
    annotations.write(table, tmp_path / name)
    assert annotations.read(tmp_path / name)["replaces"].tolist() == ["007", "", ""]
    annotations.write(make_table(), tmp_path / name)
    assert annotations.read(tmp_path / name)["replaces"].tolist() == [""]
    make_table().to_csv(tmp_path / "old.csv", index=False)
    assert annotations.read(tmp_path / "old.csv")["replaces"].tolist() == [""]


def test_joints_are_in_skeleton_order():
    joints = annotations.joints_of(make_table())
    np.testing.assert_array_equal(joints[0], np.arange(22).reshape(11, 2))
    moved = annotations.with_joints(make_table(), joints + 1)
    np.testing.assert_array_equal(annotations.joints_of(moved), joints + 1)


def test_a_missing_column_is_named(tmp_path):
    make_table().drop(columns="nose_y").to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match=r"t.csv: .*column 'nose_y' is missing"):
        annotations.read(tmp_path / "t.csv")


def test_text_in_a_numeric_column_is_named():
    with pytest.raises(InputError, match="column 'lsho_x' contains values that are not numbers"):
        annotations.cast_columns(make_table().astype({"lsho_x": object}).assign(lsho_x="left"))


def test_missing_and_truncated_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"t.parquet: no such annotation table"):
        annotations.read(tmp_path / "t.parquet")
    annotations.write(make_table(), tmp_path / "t.parquet")
    (tmp_path / "t.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:100])
    with pytest.raises(InputError, match=r"t.parquet: not a readable annotation table"):
        annotations.read(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("image", "source"),
    [
        ("raw/FLIC/images/a.jpg", "raw"),
        ("incoming/monday/images/a.jpg", "incoming/monday"),
        ("incoming/a.jpg", "incoming"),
        ("images/a.jpg", "images"),
        ("a.jpg", "."),
    ],
)
def test_source_of(image, source):
    assert annotations.source_of(image) == source
