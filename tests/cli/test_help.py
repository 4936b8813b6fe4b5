import shlex
import subprocess
import sys

import pytest
import typer

from splitpose.cli import main
from splitpose.cli.app import GROUPS, app

EXAMPLES = {function.__name__: example for group in GROUPS.values() for function, example in group.items()}


def test_the_help_lists_all_commands_by_group(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for group in GROUPS:
        assert group in shown
    listed = [line.split()[1] for line in shown.splitlines() if line.startswith("│ ") and line[2].isalpha()]
    assert listed == list(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_command_has_help_with_an_example(name, capsys):
    assert main([name, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"Usage: splitpose {name}" in shown
    assert f"Example: {EXAMPLES[name]}" in shown


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_accepted(name):
    words = shlex.split(EXAMPLES[name])
    words = words[words.index("splitpose") + 1 :]
    assert words[0] == name
    command = typer.main.get_command(app).commands[name]
    command.make_context(name, words[1:]).close()


def test_completion_lists_the_commands(capsys, monkeypatch):
    monkeypatch.setenv("_SPLITPOSE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "splitpose pre")
    monkeypatch.setenv("COMP_CWORD", "1")
    with pytest.raises(SystemExit) as exit:
        main([])
    assert exit.value.code == 0
    assert capsys.readouterr().out.split() == ["predict"]


@pytest.mark.integration
def test_the_help_starts_without_heavy_libraries():
    heavy = {"numpy", "pandas", "pydantic", "tensorflow", "keras", "mlflow", "prefect", "dvc", "great_expectations"}
    code = (
        "import sys; from splitpose.cli import main; main(['--help']);"
        f"print('imported:', *({heavy} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1].split() == ["imported:"]
