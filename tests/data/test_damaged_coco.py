"""Whatever is wrong with a COCO source ends in one clear line or in quarantine, and nobody vanishes unsaid."""

import copy
import json
import re

import pytest
from support import damaged_coco
from support.damaged_coco import DAMAGES, INFINITE, NAN, Damage

from splitpose.data import coco
from splitpose.errors import InputError
from splitpose.validation import inspect

LIMITS = {"min_joints": 8, "min_side": 16, "group": "picture"}


def read(folder):
    """As the pipeline does: copied to data/raw, read from there."""
    sets = [("train", folder / coco.ANNOTATIONS, folder / coco.IMAGES)]
    raw = folder / "data" / "raw"
    raw.mkdir(parents=True)
    coco.copy(sets, raw)
    return coco.read_all(sets, raw, **LIMITS)


def test_the_good_source_is_good(tmp_path):
    damaged_coco.write_good(tmp_path)
    reading = read(tmp_path)
    verdict = inspect(reading.table, tmp_path / "data", None)
    assert (len(verdict.table), len(verdict.quarantine), reading.left_out) == (3, 0, {})


@pytest.mark.parametrize("damage", [pytest.param(d, id=d.name) for d in DAMAGES if d.error])
def test_it_ends_in_one_line(tmp_path, damage: Damage):
    damaged_coco.write_good(tmp_path)
    damage.change(tmp_path)
    with pytest.raises(InputError, match=re.escape(damage.error)) as raised:
        read(tmp_path)
    line = str(raised.value)
    assert str(tmp_path) in line and "\n" not in line and "Value error" not in line


@pytest.mark.parametrize("damage", [pytest.param(d, id=d.name) for d in DAMAGES if d.quarantined_by])
def test_it_ends_in_quarantine(tmp_path, damage: Damage):
    damaged_coco.write_good(tmp_path)
    damage.change(tmp_path)
    reading = read(tmp_path)
    verdict = inspect(reading.table, tmp_path / "data", None)
    assert reading.left_out == {}
    assert set(verdict.quarantine["id"]) == {"raw/0-annotations/annotations-10"}
    assert damage.quarantined_by in set(verdict.quarantine["rule"])
    assert len(verdict.table) == 2


def test_nothing_outside_is_copied(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    for number, name in enumerate(["../../secret.png", str(tmp_path / "secret.png"), "x/../../../secret.png"]):
        folder = tmp_path / str(number)
        damaged_coco.write_good(folder)
        damaged_coco.put("images", 0, "file_name", name)(folder)
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
def test_any_value_of_any_key_is_told_or_counted(tmp_path, part, key):
    """Nobody who stands in the file is neither read, nor counted as left out, nor the matter of one line."""
    path = tmp_path / "a.json"
    for value in VALUES:
        content = copy.deepcopy(damaged_coco.good_content())
        content[part][0][key] = value
        path.write_text(json.dumps(content))
        try:
            reading = coco.read(path, [tmp_path], tmp_path, **LIMITS)
        except InputError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error), (value, error)
        else:
            assert len(reading.table) + sum(reading.left_out.values()) == 3, value


def test_a_file_cut_anywhere_is_told(tmp_path):
    path = tmp_path / "a.json"
    data = json.dumps(damaged_coco.good_content()).encode()
    for end in range(0, len(data), 7):
        path.write_bytes(data[:end])
        with pytest.raises(InputError, match=r"a.json: Invalid JSON"):
            coco.load(path)
