"""Spellings of image names that tools write for servers and other operating systems."""

from pathlib import PurePosixPath

import pytest

from splitpose.data.image_names import as_uploaded, comparable, relative_name, spellings


@pytest.mark.parametrize(
    ("file_name", "path"),
    [
        ("a.jpg", "a.jpg"),
        ("monday/a.jpg", "monday/a.jpg"),
        ("./monday//a.jpg", "monday/a.jpg"),
        ("a%20b.jpg", "a%20b.jpg"),  # a valid name
        ("a#1.jpg", "a#1.jpg"),
        ("is it a.jpg?.jpg", "is it a.jpg?.jpg"),
        ("default\\a.jpg", "default/a.jpg"),
        ("..\\images\\a.jpg", "images/a.jpg"),
        ("../../images/a.jpg", "images/a.jpg"),
        ("C:\\Users\\me\\a.jpg", "Users/me/a.jpg"),
        ("\\\\server\\share\\a.jpg", "server/share/a.jpg"),
        ("/datasets/people/a.jpg", "datasets/people/a.jpg"),
        ("/data/upload/1/0a1b2c3d-a.jpg", "data/upload/1/0a1b2c3d-a.jpg"),
        ("/data/local-files/?d=photos%5Cmonday/a%20b.jpg", "photos/monday/a b.jpg"),
        ("http://localhost:8080/data/local-files/?d=monday/a.jpg", "monday/a.jpg"),
        ("https://example.org/files/a%20b.jpg?X-Amz-Date=1", "example.org/files/a b.jpg"),
        ("s3://bucket/monday/a.jpg", "bucket/monday/a.jpg"),
        ("file:///home/me/a.jpg", "home/me/a.jpg"),
        ("/tasks/1/resolve/?fileuri=czM6Ly9idWNrZXQvYS5qcGc=", "bucket/a.jpg"),  # base64 of s3://bucket/a.jpg
        ("/tasks/1/resolve/?fileuri=%21", "!"),
    ],
)
def test_relative_name(file_name, path):
    assert relative_name(file_name) == PurePosixPath(path)


@pytest.mark.parametrize(
    "file_name", ["", ".", "..", "/", "C:\\", "../..", "a/../../b.jpg", "a/../b.jpg", "a\0.jpg"]
)
def test_a_name_that_is_not_below_a_folder_has_no_spelling(file_name):
    assert relative_name(file_name) is None
    assert spellings(file_name) == []


@pytest.mark.parametrize(
    ("file_name", "last"),
    [
        ("a.jpg", ["a.jpg"]),
        ("a%20b.jpg", ["a%20b.jpg", "a b.jpg"]),
        ("a%2520b.jpg", ["a%2520b.jpg", "a%20b.jpg", "a b.jpg"]),
        ("/data/upload/1/0a1b2c3d-a.jpg", ["0a1b2c3d-a.jpg", "a.jpg"]),
        ("images\\0a1b2c3d-a%20b.jpg", ["0a1b2c3d-a%20b.jpg", "0a1b2c3d-a b.jpg", "a%20b.jpg", "a b.jpg"]),
        ("a_jpg.rf.0123456789abcdef.jpg", ["a_jpg.rf.0123456789abcdef.jpg"]),  # Roboflow's real names
        ("12345678-", ["12345678-"]),
        ("x-0a1b2c3d-a.jpg", ["x-0a1b2c3d-a.jpg"]),
    ],
)
def test_spellings_of_the_last_part(file_name, last):
    assert [path.name for path in spellings(file_name)] == last


def test_comparable_names():
    assert comparable("Jose\u0301.JPG") == comparable("Jos\xe9.jpg") == comparable("JOS\xc9.jpg")
    assert comparable("a.jpg") != comparable("a.png")


def test_names_of_uploads():
    assert as_uploaded("My photo (1).JPG") == as_uploaded("my_photo_1.jpg") == "my_photo_1.jpg"
