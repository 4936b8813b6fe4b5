"""Reading FLIC's archive into the annotation table."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from scipy.io import loadmat, savemat
from support.flic_archive import POSE, Row, coords_of, row, save, struct, valid_rows, write_images

from splitpose.annotations import COLUMNS, JOINT_COLUMNS, REPLACES, joints_of
from splitpose.data import flic
from splitpose.errors import InputError
from splitpose.skeleton import INDEX, JOINTS
from splitpose.validation import validate

# Joint k is at (10 k + 1, 10 k + 2), except that the left shoulder is right of the right one.
PERSON = np.array([[10.0 * k + 1, 10.0 * k + 2] for k in range(len(JOINTS))])
PERSON[INDEX["lsho"], 0] = 300.5

YES, NO = np.array([[1]], np.uint8), np.array([[0]], np.uint8)


def annotated_row(**changes: Any) -> Row:
    return (
        row(PERSON, imgdims=np.array([[480.0, 720, 3]]), torsobox=np.array([[10.25, 20, 30, 40.5]], np.float32))
        | changes
    )


def test_every_column_is_read(tmp_path: Path) -> None:
    result = flic.read(save(tmp_path, annotated_row(), annotated_row(istrain=NO, istest=YES)), "person")
    table = result.table
    assert list(table.columns) == [*COLUMNS, REPLACES]
    first = table.iloc[0]
    assert first["id"] == "some-film-00000123-0"
    assert first["image"] == "FLIC/images/some-film-00000123.jpg"
    assert (first["width"], first["height"]) == (720, 480)
    assert first["group"] == "some-film"
    assert list(first[["box_x0", "box_y0", "box_x1", "box_y1"]]) == [10.25, 20.0, 30.0, 40.5]
    assert list(table["split"]) == ["train", "test"]
    assert list(table["id"]) == ["some-film-00000123-0", "some-film-00000123-1"]
    np.testing.assert_array_equal(joints_of(table)[0], PERSON)
    assert result.skipped == {}


@pytest.mark.parametrize("numbers", [np.float64, np.float32, np.uint16, np.int32])
@pytest.mark.parametrize("flags", [np.uint8, np.bool_, np.float64])
def test_every_type_that_matlab_saves_is_read(tmp_path: Path, numbers: type, flags: type) -> None:
    joints = np.round(PERSON)
    fields: Row = {name: value for name, value in annotated_row().items() if isinstance(value, str)}
    fields |= {
        "coords": coords_of(joints).astype(np.float32),
        "imgdims": np.array([[480, 720]], numbers),
        "currframe": np.array([[123]], numbers),
        "torsobox": np.array([[10, 20, 30, 40]], numbers),
        "istrain": np.array([[0]], flags),
        "istest": np.array([[1]], flags),
    }
    (record,) = flic.read(save(tmp_path, fields), "person").table.to_dict("records")
    assert record["id"] == "some-film-00000123-0"
    assert (record["width"], record["height"], record["split"]) == (720, 480, "test")
    assert [record[name] for name in ("box_x0", "box_y0", "box_x1", "box_y1")] == [10, 20, 30, 40]
    assert [record[name] for name in JOINT_COLUMNS] == joints.ravel().tolist()


@pytest.mark.parametrize("shape", [(1, 6), (6, 1), (2, 3)])
def test_struct_arrays_of_any_shape_are_read(tmp_path: Path, shape: tuple[int, int]) -> None:
    rows = [annotated_row(currframe=np.array([[float(frame)]])) for frame in range(6)]
    path = save(tmp_path, *rows) / "FLIC" / "examples.mat"
    savemat(path, {"examples": struct(rows).reshape(shape)})
    assert loadmat(path)["examples"].shape == shape
    table = flic.read(tmp_path, "person").table
    assert list(table["id"]) == [f"some-film-{number:08}-{number}" for number in range(6)]


def test_fields_in_1x1_cells_are_read(tmp_path: Path) -> None:
    def in_cell(value: object) -> np.ndarray:
        cell = np.empty((1, 1), object)
        cell[0, 0] = value
        return cell

    wrapped = {field: in_cell(in_cell(value)) for field, value in annotated_row().items()}
    plain = flic.read(save(tmp_path / "plain", annotated_row()), "person").table
    pd.testing.assert_frame_equal(flic.read(save(tmp_path / "wrapped", wrapped), "person").table, plain)


def test_full_edition_keeps_its_folder_and_counts_skipped_rows(tmp_path: Path) -> None:
    unflagged, empty = {"isbad": NO, "isunchecked": NO}, np.zeros((0, 0))
    rows = [
        annotated_row(**unflagged),
        annotated_row(istrain=NO, isbad=YES, isunchecked=NO, coords=empty, torsobox=empty, imgdims=empty),
        annotated_row(istrain=NO, isbad=YES, isunchecked=empty),
        annotated_row(istrain=NO, isbad=NO, isunchecked=YES),
        annotated_row(istrain=NO, isbad=YES, isunchecked=YES),
        annotated_row(istrain=NO, **unflagged),
        annotated_row(istrain=NO, istest=YES, **unflagged),
    ]
    result = flic.read(save(tmp_path, *rows, folder="FLIC-full"), "person")
    assert list(result.table["id"]) == ["some-film-00000123-0", "some-film-00000123-6"]
    assert list(result.table["split"]) == ["train", "test"]
    assert result.table["image"][0] == "FLIC-full/images/some-film-00000123.jpg"
    assert result.skipped == {
        "flagged bad": 2,
        "unchecked": 1,
        "flagged bad and unchecked": 1,
        "in neither split": 1,
    }


def test_an_image_may_have_several_people_and_one_person_twice(tmp_path: Path) -> None:
    rows = valid_rows()
    write_images(tmp_path, rows)
    rows[1] = row(POSE - [25, 0], filepath=rows[0]["filepath"])  # 0.63 torso diameters from the first
    rows[2] = row(POSE + [2, 0], filepath=rows[0]["filepath"])
    table = flic.read(save(tmp_path, *rows), "observer").table
    assert table["id"].is_unique
    assert list(table["image"][:3]) == ["FLIC/images/film-0-00000000.jpg"] * 3
    result = validate(table, tmp_path)
    assert result.quarantine.empty
    assert result.summary["warnings"]["annotated_twice"] == 2


def test_letterboxed_films_keep_the_pixels_of_the_whole_frame(tmp_path: Path) -> None:
    rows = valid_rows()
    write_images(tmp_path, rows)
    for fields in rows[10:20]:  # black bars of 12 px above and below, in frames of another size
        fields["imgdims"] = np.array([[104.0, 160, 3]])
        fields["coords"] = coords_of(POSE + [30, 12])
        fields["torsobox"] = fields["torsobox"] + np.array([30, 12, 30, 12], np.float32)
        frame = np.full((104, 160, 3), 90, np.uint8)
        frame[:12] = frame[-12:] = 0
        cv2.imwrite(str(tmp_path / "FLIC" / "images" / fields["filepath"]), frame)
    table = flic.read(save(tmp_path, *rows), "observer").table
    assert table.groupby("group")[["width", "height"]].first().to_numpy().tolist() == [
        [100, 80],
        [160, 104],
        [100, 80],
    ]
    assert (table.loc[10:19, "lsho_y"] == POSE[0, 1] + 12).all()
    assert validate(table, tmp_path).quarantine.empty


def test_observer_centric_only_swaps_people_seen_from_behind() -> None:
    behind = PERSON.copy()
    behind[INDEX["rsho"], 0] = 400.0
    swapped = flic.observer_centric(np.stack([PERSON, behind]))
    np.testing.assert_array_equal(swapped[0], PERSON)
    for left, right in [
        ("lsho", "rsho"),
        ("lelb", "relb"),
        ("lwri", "rwri"),
        ("lhip", "rhip"),
        ("leye", "reye"),
    ]:
        np.testing.assert_array_equal(swapped[1, INDEX[left]], behind[INDEX[right]])
        np.testing.assert_array_equal(swapped[1, INDEX[right]], behind[INDEX[left]])
    np.testing.assert_array_equal(swapped[1, INDEX["nose"]], behind[INDEX["nose"]])


def test_viewpoint_reaches_the_table(tmp_path: Path) -> None:
    behind = PERSON.copy()
    behind[INDEX["rsho"], 0] = 400.0
    save(tmp_path, annotated_row(coords=coords_of(behind)))
    assert flic.read(tmp_path, "person").table["lsho_x"][0] == 300.5
    assert flic.read(tmp_path, "observer").table["lsho_x"][0] == 400.0


def test_observer_centric_equals_the_published_rows(shared: Path) -> None:
    person = pd.read_csv(shared / "flic" / "annotations_train_person_centric.csv")
    observer = pd.read_csv(shared / "flic" / "annotations_train.csv")
    joints, expected = (t[JOINT_COLUMNS].to_numpy().reshape(-1, len(JOINTS), 2) for t in (person, observer))
    np.testing.assert_array_equal(flic.observer_centric(joints), expected)
    assert (joints != expected).any(axis=(1, 2)).sum() == 199


def test_the_complete_training_set_equals_the_published_one(shared: Path, tmp_path: Path) -> None:
    theirs = pd.read_csv(shared / "flic" / "annotations_train_person_centric.csv")
    published = pd.read_csv(shared / "flic" / "annotations_train.csv")
    films = theirs["image"].str.extract(r"^(?P<film>.+)-(?P<frame>\d{8})\.jpg$")
    joints = theirs[JOINT_COLUMNS].to_numpy().reshape(-1, len(JOINTS), 2)
    save(
        tmp_path,
        *(
            annotated_row(
                coords=coords_of(points), filepath=image, moviename=film, currframe=np.array([[float(frame)]])
            )
            for points, image, film, frame in zip(
                joints, theirs["image"], films["film"], films["frame"], strict=True
            )
        ),
    )
    result = flic.read(tmp_path, "observer")
    assert len(result.table) == 3987
    assert result.table["group"].nunique() == 30
    assert result.skipped == {}
    assert list(result.table["image"]) == list("FLIC/images/" + published["image"])
    assert list(result.table["id"]) == [f"{image[:-4]}-{n}" for n, image in enumerate(published["image"])]
    pd.testing.assert_frame_equal(result.table[JOINT_COLUMNS], published[JOINT_COLUMNS])


def test_two_editions_are_an_error(tmp_path: Path) -> None:
    save(tmp_path, annotated_row())
    save(tmp_path, annotated_row(), folder="FLIC-full")
    with pytest.raises(InputError, match="keep only one"):
        flic.read(tmp_path, "person")
