from pathlib import Path

import pytest

from splitpose.errors import InputError
from splitpose.inference.inputs import Input, gather


def files(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def names(given: list[Path], out: Path) -> list[str]:
    return [each.name for each in gather(given, out)[0]]


def test_a_folder_gives_its_pictures_and_videos_by_name_with_all_folders_in_it(tmp_path):
    files(tmp_path / "in", "b.jpg", "a.PNG", "notes.txt", "sub/deep/c.mp4", ".hidden.jpg", ".cache/d.jpg", "e")
    assert names([tmp_path / "in"], tmp_path / "out") == ["a.PNG", "b.jpg", "sub/deep/c.mp4"]


def test_files_keep_the_order_in_which_they_are_given_and_stand_once(tmp_path):
    b, a = files(tmp_path, "b.jpg", "a.jpg")
    assert names([b, a, b, tmp_path], tmp_path / "out") == ["b.jpg", "a.jpg"]


def test_a_file_that_is_given_may_be_called_anything(tmp_path):
    (odd,) = files(tmp_path, "no suffix, ünïcode [1] #2")
    assert names([odd], tmp_path / "out") == [odd.name]


def test_names_begin_below_the_folder_that_all_share(tmp_path):
    one, two = files(tmp_path, "monday/cam/1.jpg", "tuesday/cam/1.jpg")
    assert names([one.parent, two], tmp_path / "out") == ["monday/cam/1.jpg", "tuesday/cam/1.jpg"]
    assert names([one], tmp_path / "out") == ["1.jpg"]


def test_paths_may_be_relative_and_go_up(tmp_path, monkeypatch):
    files(tmp_path, "in/a.jpg", "here/x")
    monkeypatch.chdir(tmp_path / "here")
    found, _ = gather([Path("../in/a.jpg"), Path("../in/../in")], Path("out"))
    assert found == [Input(tmp_path / "in" / "a.jpg", "a.jpg")]


def test_a_link_has_a_name_of_its_own(tmp_path):
    (real,) = files(tmp_path, "store/0001.jpg")
    link = tmp_path / "in" / "me.jpg"
    link.parent.mkdir()
    link.symlink_to(real)
    assert names([tmp_path / "in"], tmp_path / "out") == ["me.jpg"]


def test_a_link_to_nothing_is_no_picture_of_a_folder_and_named_where_it_is_given(tmp_path):
    link = tmp_path / "in" / "gone.jpg"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "nothing.jpg")
    files(tmp_path / "in", "a.jpg")
    found, problems = gather([tmp_path / "in", link], tmp_path / "out")
    assert [each.name for each in found] == ["a.jpg"]
    assert problems == [f"{link}: no such file or folder"]


def test_what_is_not_there_and_folders_without_pictures_are_named(tmp_path):
    files(tmp_path, "empty/notes.txt", "a.jpg")
    found, problems = gather([tmp_path / "gone", tmp_path / "empty", tmp_path / "a.jpg"], tmp_path / "out")
    assert [each.name for each in found] == ["a.jpg"]
    assert problems[0] == f"{tmp_path}/gone: no such file or folder"
    assert problems[1].startswith(f"{tmp_path}/empty: no pictures or videos are in it (.3gp, .avi,")


def test_drawings_of_an_earlier_time_are_no_inputs(tmp_path):
    files(tmp_path / "in", "a.jpg", "out/a.jpg", "out/deep/a.jpg")
    assert names([tmp_path / "in"], tmp_path / "in" / "out") == ["a.jpg"]


@pytest.mark.parametrize("out", ["in", "in/../in", "./in/"])
def test_a_drawing_never_takes_its_inputs_place(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    (picture,) = files(tmp_path / "in", "a.jpg")
    with pytest.raises(InputError) as error:
        gather([Path("in")], Path(out))
    assert str(error.value) == f"{picture}: its drawing would take its place; choose another folder for --out"


@pytest.mark.parametrize(("name", "is_video"), [("a.MOV", True), ("a.webm", True), ("a.jpg", False), ("a", False)])
def test_videos_are_told_by_their_names(name, is_video):
    assert Input(Path(name), name).is_video == is_video
