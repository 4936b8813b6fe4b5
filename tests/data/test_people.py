import numpy as np
import pandas as pd
import pytest

from splitpose.data.formats.annotation_set import AnnotationSet, image_frame, people_frame
from splitpose.data.image_finder import ImageFinder
from splitpose.data.people import ReadOptions, select_people
from splitpose.errors import InputError
from splitpose.skeleton import JOINTS

BOX = {"box_x0": 0.0, "box_y0": 0.0, "box_x1": 30.0, "box_y1": 40.0}


def annotation_set(folder, sessions, people, notes=()):
    """A set with an image for each session, and people as (image, crowd, number of joints, side of the box)."""
    joints = np.full((len(people), len(JOINTS), 2), np.nan)
    rows = []
    for row, (image, is_crowd, joint_count, side) in enumerate(people):
        joints[row, :joint_count] = 5
        box = {**BOX, "box_x1": side, "box_y1": side}
        rows.append({"id": str(row), "image": image, "is_crowd": is_crowd} | box)
    images = [
        {"file_name": f"{index}.png", "width": 64, "height": 48, "session": session}
        for index, session in enumerate(sessions)
    ]
    return AnnotationSet(
        folder / "a.json", "test", image_frame(images), people_frame(rows), joints, {"other": 2}, notes
    )


def select(folder, annotations, **options):
    settings = ReadOptions(**({"min_joints": 3, "min_side": 16.0} | options))
    return select_people(annotations, ImageFinder([folder]), folder, settings)


def test_only_the_first_reason_for_skipping_a_person_is_counted(tmp_path):
    people = [
        (1, False, 3, 16.0),
        (0, True, 0, 1.0),
        (0, False, 2, 1.0),
        (0, False, 11, 15.9),
        (0, False, 11, np.nan),
    ]
    result = select(tmp_path, annotation_set(tmp_path, [1, 2], people))
    assert result.table["id"].tolist() == ["a-0"]
    assert result.table["image"].tolist() == ["1.png"]
    # The joints of the last person, who has no box, are all in one place.
    assert result.skipped == {"other": 2, "crowd": 1, "fewer than 3 annotated joints": 1, "smaller than 16 px": 2}


def test_people_share_the_group_of_their_image(tmp_path):
    people = [(1, False, 3, 20.0), (0, False, 3, 20.0), (1, False, 3, 20.0)]
    table = select(tmp_path, annotation_set(tmp_path, ["x", 7], people), group="session").table
    assert table["group"].tolist() == ["7", "x", "7"]
    assert table["image"].tolist() == ["1.png", "0.png", "1.png"]


def test_images_without_a_group_are_counted_and_the_first_ones_named(tmp_path):
    annotations = annotation_set(tmp_path, [1, None, "", True, 2.5], [(0, False, 3, 20.0)])
    with pytest.raises(InputError) as raised:
        select(tmp_path, annotations, group="session")
    assert str(raised.value) == (
        f"{tmp_path}/a.json: images[1].session, images[2].session, images[3].session and 1 more: not text or an "
        "integer (4 of 5 images); source.group requires one in every image"
    )


def test_notes_name_the_file(tmp_path):
    annotations = annotation_set(tmp_path, [1], [(0, False, 3, 20.0)], ("people without a name: 1",))
    own, missing = select(tmp_path, annotations).notes
    assert own == "a.json: people without a name: 1"
    assert missing.startswith("a.json: 1 of 1 images not found; ")


def test_the_table_has_the_types_of_the_schema(tmp_path):
    table = select(tmp_path, annotation_set(tmp_path, [1], [(0, False, 3, 20.0)])).table
    assert pd.api.types.is_integer_dtype(table["width"]) and pd.api.types.is_float_dtype(table["lsho_x"])
