"""The project's text uses the field's vocabulary, and library code gives no hints about DVC or make."""

import ast
import re
import subprocess
from pathlib import Path

PLACES = (
    "src", "pipelines", "docs", "profiles", "web", "data", "reports", "comparators", "README.md", "CONTRIBUTING.md",
    "Makefile", "params.yaml", "dvc.yaml", "prefect.yaml", "pyproject.toml",
)  # fmt: skip
OLD_WORDS = (
    "told", "anew", "nobody", "somebody", "anybody", "whom", "trembling", "stands still", "stand-in",
    "is no number", "for want of", "by hand", "trunk", "pictures?", "contender", "judgement", "verdict", "readings",
)  # fmt: skip
OLD_WORD = re.compile(rf"(?<![\w\"'-])({'|'.join(OLD_WORDS)})(?![\w\"-])", re.IGNORECASE)
RENAMED_KEY = re.compile(r'^\s*"[\w.]+": "[\w.]+",$')
"""A line of settings.RENAMED_KEYS, which must name the old keys."""

GIVES_HINTS = ("stages", "cli")
"""Packages whose messages may name a command of DVC or make; library code names the file that is at fault."""


def tracked_text(repository: Path) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PLACES]
    names = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout.split("\n")
    kinds = {".py", ".md", ".yaml", ".js", ".mjs", ".html", ".css", ".json"}
    files = [repository / name for name in names if name and Path(name).suffix in kinds]
    return [file for file in files if file.is_file() and file.name != "package-lock.json"]


def test_no_old_words(repository):
    found = [
        f"{file.relative_to(repository)}:{number}: {match[0]}"
        for file in tracked_text(repository)
        for number, line in enumerate(file.read_text().split("\n"), 1)
        for match in OLD_WORD.finditer(line)
        if not RENAMED_KEY.match(line)
    ]
    assert found == []


def test_the_check_finds_old_words():
    assert [match[0] for match in OLD_WORD.finditer("Nobody is told; the picture's trunk stands still.")] == [
        "Nobody", "told", "picture", "trunk", "stands still",
    ]  # fmt: skip
    assert not OLD_WORD.search("an image that was untold; retold")


def messages(tree: ast.AST) -> list[ast.Constant]:
    """Return the string constants of a module that are not docstrings or comments on attributes."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare
    ]


def test_library_messages_name_no_command_of_dvc_or_make(repository):
    source = repository / "src" / "splitpose"
    found = [
        f"{file.relative_to(source)}:{node.lineno}: {node.value}"
        for file in sorted(source.rglob("*.py"))
        if file.relative_to(source).parts[0] not in GIVES_HINTS
        for node in messages(ast.parse(file.read_text()))
        if re.search(r"`(dvc|make) |dvc repro", node.value)
    ]
    assert found == []
