"""Any defect of a COCO source ends in a one-line error or in quarantine; no annotation is lost silently."""

import copy
import json
import re

import pytest
from support import damaged_coco
from support.damaged_coco import DAMAGES, INFINITE, NAN, Damage

from splitpose.data import coco
from splitpose.data.formats import coco_json
from splitpose.data.people import ReadOptions
from splitpose.errors import InputError
from splitpose.validation import validate

OPTIONS = ReadOptions(min_joints=8, min_side=16)


def read(folder):
    """Copy the source to data/raw and read it there, as the pipeline does."""
    sets = [("train", folder / coco.ANNOTATIONS, folder / coco.IMAGES)]
    raw = folder / "data" / "raw"
    raw.mkdir(parents=True)
    coco.copy(sets, raw)
    return coco.read_all(sets, raw, OPTIONS)


def test_the_valid_source_passes(tmp_path):
    damaged_coco.write_good(tmp_path)
    annotated = read(tmp_path)
    result = validate(annotated.table, tmp_path / "data")
    assert (len(result.table), len(result.quarantine), annotated.skipped) == (3, 0, {})


@pytest.mark.parametrize("damage", [pytest.param(d, id=d.name) for d in DAMAGES if d.error])
def test_invalid_json_is_a_one_line_error(tmp_path, damage: Damage):
    damaged_coco.write_good(tmp_path)
    damage.change(tmp_path)
    with pytest.raises(InputError, match=re.escape(damage.error)) as raised:
        read(tmp_path)
    line = str(raised.value)
    assert str(tmp_path) in line and "\n" not in line and "Value error" not in line


@pytest.mark.parametrize("damage", [pytest.param(d, id=d.name) for d in DAMAGES if d.rule])
def test_an_invalid_instance_is_quarantined(tmp_path, damage: Damage):
    damaged_coco.write_good(tmp_path)
    damage.change(tmp_path)
    annotated = read(tmp_path)
    result = validate(annotated.table, tmp_path / "data")
    assert annotated.skipped == {}
    assert set(result.quarantine["id"]) == {"raw/0-annotations/annotations-10"}
    assert damage.rule in set(result.quarantine["rule"])
    assert len(result.table) == 2


def test_images_outside_the_folder_are_not_copied(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    for number, name in enumerate(["../../secret.png", str(tmp_path / "secret.png"), "x/../../../secret.png"]):
        folder = tmp_path / str(number)
        damaged_coco.write_good(folder)
        damaged_coco.set_value("images", 0, "file_name", name)(folder)
        read(folder)
        copied = {path.name for path in (folder / "data").rglob("*") if path.is_file()}
        assert copied == {"annotations.json", "1.png", "2.png"}


VALUES = [
    None,
    True,
    "",
    "text",
    "a\nb",
    [],
    [None],
    {},
    NAN,
    INFINITE,
    -INFINITE,
    -1,
    0,
    0.5,
    10**30,
    10**400,
    1e308,
]


@pytest.mark.parametrize(
    ("part", "key"),
    [
        *(("images", key) for key in ["id", "file_name", "width", "height"]),
        *(("categories", key) for key in ["id", "keypoints"]),
        *(("annotations", key) for key in ["id", "image_id", "category_id", "iscrowd", "keypoints", "bbox"]),
    ],
)
def test_any_value_of_any_key_is_read_skipped_or_reported(tmp_path, part, key):
    path = tmp_path / "a.json"
    for value in VALUES:
        content = copy.deepcopy(damaged_coco.good_content())
        content[part][0][key] = value
        path.write_text(json.dumps(content))
        try:
            result = coco.read(path, [tmp_path], tmp_path, OPTIONS)
        except InputError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error), (value, error)
        else:
            assert len(result.table) + sum(result.skipped.values()) == 3, value


def test_a_truncated_file_is_reported(tmp_path):
    path = tmp_path / "a.json"
    data = json.dumps(damaged_coco.good_content()).encode()
    for end in range(0, len(data), 7):
        path.write_bytes(data[:end])
        with pytest.raises(InputError, match=r"a.json: Invalid JSON"):
            coco_json.load(path)
