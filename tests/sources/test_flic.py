"""FLIC's archive read into the annotation table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from splitpose.annotations import COLUMNS, JOINT_COLUMNS, joints_of
from splitpose.errors import InputError
from splitpose.skeleton import INDEX, JOINTS
from splitpose.sources import flic

# (x, y) of each joint: 10 k + 1 and 10 k + 2, but the left shoulder right of the right one.
PERSON = np.array([[10.0 * k + 1, 10.0 * k + 2] for k in range(len(JOINTS))])
PERSON[INDEX["lsho"], 0] = 300.5


def example(**changes: object) -> dict[str, object]:
    coords = np.full((2, 29), np.nan)
    coords[:, [0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16]] = PERSON.T
    return {
        "poselet_hit_idx": [[1.0, 5.0]],
        "moviename": "some-film",
        "coords": coords,
        "filepath": "some-film-00000123.jpg",
        "imgdims": [[480.0, 720.0, 3.0]],
        "currframe": [[123.0]],
        "torsobox": [[10.25, 20.0, 30.0, 40.5]],
        "istrain": [[True]],
        "istest": [[False]],
        **changes,
    }


def archive(root: Path, *examples: dict[str, object], folder: str = "FLIC") -> Path:
    (root / folder).mkdir(parents=True)
    rows = np.empty((1, len(examples)), [(field, object) for field in examples[0]])
    rows[0] = [tuple(np.asarray(v) if not isinstance(v, str) else v for v in e.values()) for e in examples]
    savemat(root / folder / "examples.mat", {"examples": rows})
    return root


def test_reads_every_column(tmp_path: Path) -> None:
    table = flic.read(archive(tmp_path, example(), example(istrain=[[False]], istest=[[True]])), "person")
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


def test_full_edition_keeps_its_folder_and_loses_rows_of_no_split(tmp_path: Path) -> None:
    neither = example(istrain=[[False]])
    table = flic.read(archive(tmp_path, neither, example(), folder="FLIC-full"), "person")
    assert list(table["id"]) == ["some-film-00000123-1"]
    assert table["image"][0] == "FLIC-full/images/some-film-00000123.jpg"


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
    coords = example()["coords"].copy()  # type: ignore[attr-defined]
    coords[0, 3] = 400.0
    archive(tmp_path, example(coords=coords))
    assert flic.read(tmp_path, "person")["lsho_x"][0] == 300.5
    assert flic.read(tmp_path, "observer")["lsho_x"][0] == 400.0


def test_observer_centric_gives_the_published_rows(shared: Path) -> None:
    person = pd.read_csv(shared / "flic" / "annotations_train_person_centric.csv")
    observer = pd.read_csv(shared / "flic" / "annotations_train.csv")
    joints, wanted = (t[JOINT_COLUMNS].to_numpy().reshape(-1, len(JOINTS), 2) for t in (person, observer))
    np.testing.assert_array_equal(flic.observer_centric(joints), wanted)
    assert (joints != wanted).any(axis=(1, 2)).sum() == 199


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"FLIC/examples\.mat: no such file"):
        flic.read(tmp_path, "person")


def test_two_editions_at_once_are_refused(tmp_path: Path) -> None:
    archive(tmp_path, example())
    archive(tmp_path, example(), folder="FLIC-full")
    with pytest.raises(InputError, match="keep the one"):
        flic.read(tmp_path, "person")


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.95])
def test_truncated_file_is_one_line(tmp_path: Path, share: float) -> None:
    path = archive(tmp_path, *[example()] * 20) / "FLIC" / "examples.mat"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"examples\.mat: not a readable MATLAB file") as caught:
        flic.read(tmp_path, "person")
    assert "\n" not in str(caught.value)


def test_garbage_file_is_one_line(tmp_path: Path) -> None:
    path = archive(tmp_path, example()) / "FLIC" / "examples.mat"
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(InputError, match=r"examples\.mat: not a readable MATLAB file"):
        flic.read(tmp_path, "person")


def test_file_without_examples_is_refused(tmp_path: Path) -> None:
    (tmp_path / "FLIC").mkdir()
    savemat(tmp_path / "FLIC" / "examples.mat", {"other": np.zeros(3)})
    with pytest.raises(InputError, match="no struct array 'examples'"):
        flic.read(tmp_path, "person")


def test_missing_field_is_named(tmp_path: Path) -> None:
    row = example()
    del row["torsobox"]
    with pytest.raises(InputError, match=r"examples\.mat: examples has no field 'torsobox'"):
        flic.read(archive(tmp_path, row), "person")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("coords", np.zeros((2, 28)), "row 1, coords: shape 2x29 is wanted, found 2x28"),
        ("coords", "text", "row 1, coords: numbers are wanted"),
        ("torsobox", [[1.0, 2.0]], "row 1, torsobox: shape 1x4 is wanted, found 1x2"),
        ("imgdims", [[480.0]], "row 1, imgdims: shape 1x3 or 1x2 is wanted, found 1x1"),
        ("currframe", [[np.nan]], "row 1, currframe: a finite number is wanted"),
        ("moviename", [[7.0]], "row 1, moviename: text is wanted"),
        ("istest", [[True]], "row 1, istrain and istest: both are set"),
    ],
)
def test_wrong_row_and_field_are_named(tmp_path: Path, field: str, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        flic.read(archive(tmp_path, example(), example(**{field: value})), "person")
