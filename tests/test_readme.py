"""What the README names is there."""

import re

import pytest

from splitpose.cli import main


@pytest.fixture(scope="module")
def readme(repository):
    return (repository / "README.md").read_text()


def test_every_make_word_is_in_the_makefile(readme, repository):
    makefile = (repository / "Makefile").read_text()
    words = set(re.findall(r"(?:`|    )make ([a-z]+)", readme))
    assert {"repro", "test", "ui", "flow"} <= words
    assert [word for word in words if not re.search(rf"^{word}:.*## ", makefile, re.MULTILINE)] == []


def test_every_file_and_room_is_there(readme, repository):
    source = repository / "src" / "splitpose"
    for name in re.findall(r"`([a-z_/]+\.(?:py|yaml)|[a-z]+/)`", readme):
        places = [repository / name, source / name, source / "models" / name]
        assert any(place.exists() for place in places), name


@pytest.mark.parametrize("word", ["compare", "score", "predict", "benchmark"])
def test_every_splitpose_word_has_a_help(readme, word, capsys):
    assert f"splitpose {word}" in readme or word == "compare"
    assert main([word, "--help"]) == 0
    assert word in capsys.readouterr().out


def test_every_profile_is_explained(readme, repository):
    for path in (repository / "profiles").glob("*.yaml"):
        assert f"| `{path.stem}` |" in readme
