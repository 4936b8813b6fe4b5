import pytest

from splitpose.errors import InputError
from splitpose.files import atomic_file, atomic_folder, read_json, write_json


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    with pytest.raises(RuntimeError), atomic_file(path) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
    with atomic_file(path) as beside:
        beside.write_text("whole")
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_folder_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "folder"
    for text in ("old", "new"):
        with atomic_folder(path) as beside:
            (beside / text).touch()
    assert [p.name for p in path.iterdir()] == ["new"]
    with pytest.raises(RuntimeError), atomic_folder(path) as beside:
        raise RuntimeError
    assert [p.name for p in path.iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_json(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(InputError, match=r"x.json: no such file; `make it` writes it"):
        read_json(path, produced_by="`make it`")
    write_json({"b": 1, "a": [2]}, path)
    assert read_json(path, "") == {"b": 1, "a": [2]}
    path.write_text("{")
    with pytest.raises(InputError, match=r"x.json: not valid JSON"):
        read_json(path, produced_by="`make it`")
