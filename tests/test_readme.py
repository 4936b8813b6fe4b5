"""The files, targets and commands that README.md and docs/ name exist."""

import re

import pytest

from splitpose.cli import main

SUBCOMMAND = re.compile(r"(?:`|^    )splitpose ([a-z]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def readme(repository):
    return (repository / "README.md").read_text()


@pytest.fixture(scope="module")
def documents(repository, readme):
    pages = [repository / "CONTRIBUTING.md", *(repository / "docs").glob("*.md"), repository / "web" / "README.md"]
    return "\n".join([readme, *(page.read_text() for page in pages)])


def test_every_make_target_exists(documents, repository):
    makefile = (repository / "Makefile").read_text()
    targets = set(re.findall(r"(?:`|^    )make ([a-z-]+)", documents, re.MULTILINE))
    assert {"repro", "test", "test-unit", "ui", "demo"} <= targets
    assert [target for target in targets if not re.search(rf"^{target}:.*## ", makefile, re.MULTILINE)] == []


def test_every_file_and_folder_exists(readme, repository):
    source = repository / "src" / "splitpose"
    for name in re.findall(r"`([a-z_/]+\.(?:py|yaml)|[a-z_/]+/)`|\]\(([a-z_/A-Z]+\.(?:md|png|jpg))\)", readme):
        path = name[0] or name[1]
        tracked = repository / f"{path.rstrip('/')}.dvc"  # DVC's folders are not in a fresh clone
        assert tracked.exists() or any((folder / path).exists() for folder in (repository, source)), path


def test_every_subcommand_exists(documents, capsys):
    names = set(SUBCOMMAND.findall(documents))
    assert {"predict", "score", "benchmark", "check", "retrain", "reproduce", "sync", "promote"} <= names
    for name in names:
        assert main([name, "--help"]) == 0
        assert f"splitpose {name}" in capsys.readouterr().out


def test_every_profile_is_explained(readme, repository):
    for path in (repository / "profiles").glob("*.yaml"):
        assert f"| `{path.stem}` |" in readme
