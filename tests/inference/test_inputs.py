import errno
import os
from pathlib import Path

import pytest

from splitpose.errors import InputError
from splitpose.inference.inputs import InputFile, collect_inputs

JPEG, MP4 = b"\xff\xd8\xff\xe0", b"\0\0\0\x18ftypmp42"
"""First bytes of an image and of a video."""


def touch(folder: Path, *names: str, content: bytes = b"") -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return paths


def problems(paths: list[Path], out: Path) -> list[str]:
    return collect_inputs(paths, out).problems


def names(paths: list[Path], out: Path) -> list[str]:
    return [file.name for file in collect_inputs(paths, out).files]


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
    found = collect_inputs([Path("../in/a.jpg"), Path("../in/../in")], Path("out"))
    assert found.files == [InputFile(tmp_path / "in" / "a.jpg", "a.jpg")]


def test_a_symbolic_link_names_its_input(tmp_path):
    (real,) = touch(tmp_path, "store/0001.jpg")
    link = tmp_path / "in" / "me.jpg"
    link.parent.mkdir()
    link.symlink_to(real)
    assert names([tmp_path / "in"], tmp_path / "out") == ["me.jpg"]


def test_broken_links_and_loops_are_reported(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    touch(folder, "a.jpg")
    link, loop = folder / "gone.jpg", folder / "loop.jpg"
    link.symlink_to(tmp_path / "nothing.jpg")
    loop.symlink_to(loop)
    found = collect_inputs([folder], out)
    assert [file.name for file in found.files] == ["a.jpg"]
    assert found.problems == [
        f"{link}: is a broken symbolic link",
        f"{loop}: Too many levels of symbolic links",
    ]
    assert problems([link, tmp_path / "gone.jpg"], out) == [
        f"{link}: is a broken symbolic link",
        f"{tmp_path}/gone.jpg: no such file or folder",
    ]


def test_linked_folders_are_searched_once_even_if_they_form_a_loop(tmp_path):
    touch(tmp_path, "store/a.jpg", "in/sub/b.jpg")
    (tmp_path / "in" / "monday").symlink_to(tmp_path / "store")
    (tmp_path / "in" / "sub" / "up").symlink_to(tmp_path / "in")
    found = collect_inputs([tmp_path / "in"], tmp_path / "out")
    assert [file.name for file in found.files] == ["monday/a.jpg", "sub/b.jpg"]
    assert (found.problems, found.notes) == ([], [])


def test_pipes_are_not_opened(tmp_path):
    folder = tmp_path / "in"
    touch(folder, "a.jpg")
    os.mkfifo(folder / "pipe.mp4")
    expected = [f"{folder}/pipe.mp4: is not a regular file"]
    assert problems([folder], tmp_path / "out") == problems([folder / "pipe.mp4"], tmp_path / "out") == expected


def test_files_and_folders_without_permission_are_reported(tmp_path, monkeypatch):
    touch(tmp_path, "in/a.jpg", "in/b.jpg", "in/closed/c.jpg", "in/notes.txt")
    denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    path_open, scandir = Path.open, os.scandir

    def open_file(path, *arguments, **options):
        if path.name in ("b.jpg", "notes.txt"):
            raise denied
        return path_open(path, *arguments, **options)

    def scan(path):
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(Path, "open", open_file)
    monkeypatch.setattr(os, "scandir", scan)
    found = collect_inputs([tmp_path / "in"], tmp_path / "out")
    assert [file.name for file in found.files] == ["a.jpg"]
    assert found.problems == [
        f"{tmp_path}/in/closed: Permission denied",
        f"{tmp_path}/in/b.jpg: Permission denied",
    ]


def test_a_name_that_is_too_long_is_reported(tmp_path):
    assert problems([tmp_path / ("a" * 300)], tmp_path / "out") == [
        f"{tmp_path}/{'a' * 300}: no such file or folder"
    ]


def test_missing_paths_and_folders_without_inputs_are_reported(tmp_path):
    touch(tmp_path, "empty/notes.txt", "a.jpg")
    found = collect_inputs([tmp_path / "gone", tmp_path / "empty", tmp_path / "a.jpg"], tmp_path / "out")
    assert [file.name for file in found.files] == ["a.jpg"]
    assert found.problems == [
        f"{tmp_path}/gone: no such file or folder",
        f"{tmp_path}/empty: contains no images or videos",
    ]


def test_other_files_of_a_folder_are_counted(tmp_path):
    folder = tmp_path / "in"
    touch(
        folder, "a.json", "sub/b.json", "c.TXT", "README", ".DS_Store", "__MACOSX/._a.jpg", ".cache/d.jpg", "e.ts"
    )
    touch(folder, "song.m4a", content=MP4)
    touch(folder, "a.jpg", content=JPEG)
    found = collect_inputs([folder], tmp_path / "out")
    assert [file.name for file in found.files] == ["a.jpg"]
    assert found.problems == []
    assert found.notes == [
        "ignored 9 other file(s): 2 .json, 1 .m4a, 1 .ts, 1 .txt, 1 hidden, 2 in hidden folders, 1 without a suffix"
    ]


def test_types_are_detected_from_the_content_then_from_the_suffix(tmp_path):
    folder = tmp_path / "in"
    touch(folder, "1.jpg", "2", "3.png.download", content=MP4)
    touch(folder, "4.mp4", "5", "6.jfif", content=JPEG)
    touch(folder, "7.MOV", "8.jpg", "9.heic", content=b"text")
    found = {file.name: file.is_video for file in collect_inputs([folder], tmp_path / "out").files}
    assert found == {
        "1.jpg": True, "2": True, "3.png.download": True, "4.mp4": False, "5": False, "6.jfif": False,
        "7.MOV": True, "8.jpg": False, "9.heic": False,
    }  # fmt: skip


def test_names_that_are_not_utf_8_or_contain_line_feeds_are_escaped(tmp_path):
    (tmp_path / "in").mkdir()
    for name in (b"ni\xf1o.jpg", "niño.jpg".encode(), b"two\nlines.jpg", "Aufnahme\u202f1.jpg".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/in/" + name)).touch()
    found = collect_inputs([tmp_path / "in"], tmp_path / "out")
    assert {file.name for file in found.files} == {
        r"ni\xf1o.jpg", "niño.jpg", r"two\nlines.jpg", "Aufnahme\u202f1.jpg",
    }  # fmt: skip
    assert all(file.path.is_file() for file in found.files)


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
