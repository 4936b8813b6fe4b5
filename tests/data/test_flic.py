"""FLIC's archive read into the annotation table."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from scipy.io import loadmat, savemat
from support.flic_archive import POSE, Row, coords_of, draw, good, row, save, struct

from splitpose import validation
from splitpose.annotations import COLUMNS, JOINT_COLUMNS, joints_of
from splitpose.data import flic
from splitpose.errors import InputError
from splitpose.skeleton import INDEX, JOINTS

# (x, y) of each joint: 10 k + 1 and 10 k + 2, but the left shoulder right of the right one.
PERSON = np.array([[10.0 * k + 1, 10.0 * k + 2] for k in range(len(JOINTS))])
PERSON[INDEX["lsho"], 0] = 300.5

YES, NO = np.array([[1]], np.uint8), np.array([[0]], np.uint8)


def person(**changes: Any) -> Row:
    return (
        row(PERSON, imgdims=np.array([[480.0, 720, 3]]), torsobox=np.array([[10.25, 20, 30, 40.5]], np.float32))
        | changes
    )


def test_reads_every_column(tmp_path: Path) -> None:
    reading = flic.read(save(tmp_path, person(), person(istrain=NO, istest=YES)), "person")
    table = reading.table
    assert list(table.columns) == COLUMNS
    first = table.iloc[0]
    assert first["id"] == "some-film-00000123-0"
    assert first["image"] == "FLIC/images/some-film-00000123.jpg"
    assert (first["width"], first["height"]) == (720, 480)
    assert first["group"] == "some-film"
    assert list(first[["box_x0", "box_y0", "box_x1", "box_y1"]]) == [10.25, 20.0, 30.0, 40.5]
    assert list(table["split"]) == ["train", "test"]
    assert list(table["id"]) == ["some-film-00000123-0", "some-film-00000123-1"]
    np.testing.assert_array_equal(joints_of(table)[0], PERSON)
    assert reading.left_out == {}


@pytest.mark.parametrize("numbers", [np.float64, np.float32, np.uint16, np.int32])
@pytest.mark.parametrize("flags", [np.uint8, np.bool_, np.float64])
def test_takes_every_type_that_matlab_saves(tmp_path: Path, numbers: type, flags: type) -> None:
    joints = np.round(PERSON)
    fields: Row = {name: value for name, value in person().items() if isinstance(value, str)}
    fields |= {
        "coords": coords_of(joints).astype(np.float32),
        "imgdims": np.array([[480, 720]], numbers),
        "currframe": np.array([[123]], numbers),
        "torsobox": np.array([[10, 20, 30, 40]], numbers),
        "istrain": np.array([[0]], flags),
        "istest": np.array([[1]], flags),
    }
    (found,) = flic.read(save(tmp_path, fields), "person").table.to_dict("records")
    assert found["id"] == "some-film-00000123-0"
    assert (found["width"], found["height"], found["split"]) == (720, 480, "test")
    assert [found[name] for name in ("box_x0", "box_y0", "box_x1", "box_y1")] == [10, 20, 30, 40]
    assert [found[name] for name in JOINT_COLUMNS] == joints.ravel().tolist()


@pytest.mark.parametrize("shape", [(1, 6), (6, 1), (2, 3)])
def test_takes_struct_arrays_of_any_shape(tmp_path: Path, shape: tuple[int, int]) -> None:
    rows = [person(currframe=np.array([[float(frame)]])) for frame in range(6)]
    path = save(tmp_path, *rows) / "FLIC" / "examples.mat"
    savemat(path, {"examples": struct(rows).reshape(shape)})
    assert loadmat(path)["examples"].shape == shape
    table = flic.read(tmp_path, "person").table
    assert list(table["id"]) == [f"some-film-{number:08}-{number}" for number in range(6)]


def test_takes_fields_out_of_cells_of_one(tmp_path: Path) -> None:
    def in_cells(value: object) -> np.ndarray:
        cell = np.empty((1, 1), object)
        cell[0, 0] = value
        return cell

    wrapped = {field: in_cells(in_cells(value)) for field, value in person().items()}
    plain = flic.read(save(tmp_path / "plain", person()), "person").table
    pd.testing.assert_frame_equal(flic.read(save(tmp_path / "wrapped", wrapped), "person").table, plain)


def test_full_edition_keeps_its_folder_and_counts_whom_it_leaves_out(tmp_path: Path) -> None:
    nobody, empty = {"isbad": NO, "isunchecked": NO}, np.zeros((0, 0))
    rows = [
        person(**nobody),
        person(istrain=NO, isbad=YES, isunchecked=NO, coords=empty, torsobox=empty, imgdims=empty),
        person(istrain=NO, isbad=YES, isunchecked=empty),
        person(istrain=NO, isbad=NO, isunchecked=YES),
        person(istrain=NO, isbad=YES, isunchecked=YES),
        person(istrain=NO, **nobody),
        person(istrain=NO, istest=YES, **nobody),
    ]
    reading = flic.read(save(tmp_path, *rows, folder="FLIC-full"), "person")
    assert list(reading.table["id"]) == ["some-film-00000123-0", "some-film-00000123-6"]
    assert list(reading.table["split"]) == ["train", "test"]
    assert reading.table["image"][0] == "FLIC-full/images/some-film-00000123.jpg"
    assert reading.left_out == {
        "flagged bad": 2,
        "unchecked": 1,
        "flagged bad and unchecked": 1,
        "in neither split": 1,
    }


def test_a_picture_may_hold_several_people_and_one_person_twice(tmp_path: Path) -> None:
    rows = good()
    draw(tmp_path, rows)
    rows[1] = row(POSE - [25, 0], filepath=rows[0]["filepath"])  # 0.63 torso diameters beside the first
    rows[2] = row(POSE + [2, 0], filepath=rows[0]["filepath"])
    table = flic.read(save(tmp_path, *rows), "observer").table
    assert table["id"].is_unique
    assert list(table["image"][:3]) == ["FLIC/images/film-0-00000000.jpg"] * 3
    verdict = validation.inspect(table, tmp_path, None)
    assert verdict.quarantine.empty
    assert verdict.summary["told"]["annotated_twice"] == 2


def test_letterboxed_films_stay_in_the_px_of_the_whole_frame(tmp_path: Path) -> None:
    rows = good()
    draw(tmp_path, rows)
    for fields in rows[10:20]:  # black bars of 12 px above and below, in frames of another size
        fields["imgdims"] = np.array([[104.0, 160, 3]])
        fields["coords"] = coords_of(POSE + [30, 12])
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
    assert validation.inspect(table, tmp_path, None).quarantine.empty


def test_observer_centric_swaps_turned_people_only() -> None:
    turned = PERSON.copy()
    turned[INDEX["rsho"], 0] = 400.0
    seen = flic.observer_centric(np.stack([PERSON, turned]))
    np.testing.assert_array_equal(seen[0], PERSON)
    for left, right in [
        ("lsho", "rsho"),
        ("lelb", "relb"),
        ("lwri", "rwri"),
        ("lhip", "rhip"),
        ("leye", "reye"),
    ]:
        np.testing.assert_array_equal(seen[1, INDEX[left]], turned[INDEX[right]])
        np.testing.assert_array_equal(seen[1, INDEX[right]], turned[INDEX[left]])
    np.testing.assert_array_equal(seen[1, INDEX["nose"]], turned[INDEX["nose"]])


def test_viewpoint_reaches_the_table(tmp_path: Path) -> None:
    turned = PERSON.copy()
    turned[INDEX["rsho"], 0] = 400.0
    save(tmp_path, person(coords=coords_of(turned)))
    assert flic.read(tmp_path, "person").table["lsho_x"][0] == 300.5
    assert flic.read(tmp_path, "observer").table["lsho_x"][0] == 400.0


def test_observer_centric_gives_the_published_rows(shared: Path) -> None:
    person = pd.read_csv(shared / "flic" / "annotations_train_person_centric.csv")
    observer = pd.read_csv(shared / "flic" / "annotations_train.csv")
    joints, wanted = (t[JOINT_COLUMNS].to_numpy().reshape(-1, len(JOINTS), 2) for t in (person, observer))
    np.testing.assert_array_equal(flic.observer_centric(joints), wanted)
    assert (joints != wanted).any(axis=(1, 2)).sum() == 199


def test_the_whole_training_set_comes_out_as_published(shared: Path, tmp_path: Path) -> None:
    theirs = pd.read_csv(shared / "flic" / "annotations_train_person_centric.csv")
    published = pd.read_csv(shared / "flic" / "annotations_train.csv")
    films = theirs["image"].str.extract(r"^(?P<film>.+)-(?P<frame>\d{8})\.jpg$")
    joints = theirs[JOINT_COLUMNS].to_numpy().reshape(-1, len(JOINTS), 2)
    save(
        tmp_path,
        *(
            person(coords=coords_of(points), filepath=image, moviename=film, currframe=np.array([[float(frame)]]))
            for points, image, film, frame in zip(
                joints, theirs["image"], films["film"], films["frame"], strict=True
            )
        ),
    )
    reading = flic.read(tmp_path, "observer")
    assert len(reading.table) == 3987
    assert reading.table["group"].nunique() == 30
    assert reading.left_out == {}
    assert list(reading.table["image"]) == list("FLIC/images/" + published["image"])
    assert list(reading.table["id"]) == [f"{image[:-4]}-{n}" for n, image in enumerate(published["image"])]
    pd.testing.assert_frame_equal(reading.table[JOINT_COLUMNS], published[JOINT_COLUMNS])


def test_two_editions_at_once_are_refused(tmp_path: Path) -> None:
    save(tmp_path, person())
    save(tmp_path, person(), folder="FLIC-full")
    with pytest.raises(InputError, match="keep the one"):
        flic.read(tmp_path, "person")
