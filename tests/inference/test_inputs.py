from pathlib import Path

import pytest

from splitpose.errors import InputError
from splitpose.inference.inputs import InputFile, collect_inputs


def touch(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def names(paths: list[Path], out: Path) -> list[str]:
    return [file.name for file in collect_inputs(paths, out)[0]]


def test_images_and_videos_of_a_folder_and_its_subfolders_are_sorted(tmp_path):
    touch(tmp_path / "in", "b.jpg", "a.PNG", "notes.txt", "sub/deep/c.mp4", ".hidden.jpg", ".cache/d.jpg", "e")
    assert names([tmp_path / "in"], tmp_path / "out") == ["a.PNG", "b.jpg", "sub/deep/c.mp4"]


def test_files_keep_their_order_and_are_listed_once(tmp_path):
    b, a = touch(tmp_path, "b.jpg", "a.jpg")
    assert names([b, a, b, tmp_path], tmp_path / "out") == ["b.jpg", "a.jpg"]


def test_a_file_may_have_any_name(tmp_path):
    (odd,) = touch(tmp_path, "no suffix, ünïcode [1] #2")
    assert names([odd], tmp_path / "out") == [odd.name]


def test_names_are_relative_to_the_common_folder(tmp_path):
    one, two = touch(tmp_path, "monday/cam/1.jpg", "tuesday/cam/1.jpg")
    assert names([one.parent, two], tmp_path / "out") == ["monday/cam/1.jpg", "tuesday/cam/1.jpg"]
    assert names([one], tmp_path / "out") == ["1.jpg"]


def test_paths_may_be_relative(tmp_path, monkeypatch):
    touch(tmp_path, "in/a.jpg", "here/x")
    monkeypatch.chdir(tmp_path / "here")
    found, _ = collect_inputs([Path("../in/a.jpg"), Path("../in/../in")], Path("out"))
    assert found == [InputFile(tmp_path / "in" / "a.jpg", "a.jpg")]


def test_a_symbolic_link_names_its_input(tmp_path):
    (real,) = touch(tmp_path, "store/0001.jpg")
    link = tmp_path / "in" / "me.jpg"
    link.parent.mkdir()
    link.symlink_to(real)
    assert names([tmp_path / "in"], tmp_path / "out") == ["me.jpg"]


def test_a_broken_link_is_ignored_in_a_folder_and_reported_as_a_path(tmp_path):
    link = tmp_path / "in" / "gone.jpg"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "nothing.jpg")
    touch(tmp_path / "in", "a.jpg")
    found, problems = collect_inputs([tmp_path / "in", link], tmp_path / "out")
    assert [file.name for file in found] == ["a.jpg"]
    assert problems == [f"{link}: no such file or folder"]


def test_missing_paths_and_folders_without_inputs_are_reported(tmp_path):
    touch(tmp_path, "empty/notes.txt", "a.jpg")
    found, problems = collect_inputs([tmp_path / "gone", tmp_path / "empty", tmp_path / "a.jpg"], tmp_path / "out")
    assert [file.name for file in found] == ["a.jpg"]
    assert problems[0] == f"{tmp_path}/gone: no such file or folder"
    assert problems[1].startswith(f"{tmp_path}/empty: contains no images or videos (.3gp, .avi,")


def test_earlier_drawings_are_not_inputs(tmp_path):
    touch(tmp_path / "in", "a.jpg", "out/a.jpg", "out/deep/a.jpg")
    assert names([tmp_path / "in"], tmp_path / "in" / "out") == ["a.jpg"]


@pytest.mark.parametrize("out", ["in", "in/../in", "./in/"])
def test_a_drawing_never_overwrites_its_input(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    (image,) = touch(tmp_path / "in", "a.jpg")
    with pytest.raises(InputError) as error:
        collect_inputs([Path("in")], Path(out))
    assert str(error.value) == f"{image}: its drawing would overwrite it; choose another folder for --out"


@pytest.mark.parametrize(("name", "is_video"), [("a.MOV", True), ("a.webm", True), ("a.jpg", False), ("a", False)])
def test_videos_are_recognised_by_their_suffix(name, is_video):
    assert InputFile(Path(name), name).is_video == is_video
