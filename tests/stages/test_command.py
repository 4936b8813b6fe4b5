import errno
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from splitpose.errors import InputError
from splitpose.settings import Profile, RunConfig
from splitpose.stages import command


def call(monkeypatch, stage, *words):
    monkeypatch.setattr("sys.argv", ["stage", *map(str, words)])
    command.run(stage)


def test_options_are_the_functions_parameters(monkeypatch, repository):
    seen = {}

    def stage(profile: Profile, out_folder: Path, variant: str) -> None:
        """Do it."""
        seen.update(profile=profile, out_folder=out_folder, variant=variant)

    path = repository / "profiles" / "sample.yaml"
    call(monkeypatch, stage, "--profile", path, "--out-folder", "x", "--variant", "final")
    assert isinstance(seen["profile"], Profile)
    assert (seen["out_folder"], seen["variant"]) == (Path("x"), "final")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("params.yaml: no"), "error: params.yaml: no"),
        (
            OSError(errno.ENOSPC, "full", "data/x"),
            "error: data/x: no space left on its disk; free some space and run again",
        ),
    ],
)
def test_errors_that_a_user_can_fix_are_one_line(monkeypatch, error, line):
    def stage() -> None:
        """Fail."""
        raise error

    with pytest.raises(SystemExit) as raised:
        call(monkeypatch, stage)
    assert raised.value.code == line


def test_unexpected_errors_keep_their_traceback(monkeypatch):
    def stage() -> None:
        """Fail."""
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call(monkeypatch, stage)


def test_fields_of_a_dataclass_of_paths_are_options(monkeypatch):
    @dataclass(frozen=True)
    class Outputs:
        metrics: Path
        scores: Annotated[Path, "--few"]

    seen = {}

    def stage(table: Path, outputs: Outputs) -> None:
        """Do it."""
        seen.update(table=table, outputs=outputs)

    stage.__annotations__["outputs"] = Outputs
    call(monkeypatch, stage, "--few", "f", "--table", "t", "--metrics", "m")
    assert seen == {"table": Path("t"), "outputs": Outputs(Path("m"), Path("f"))}


def test_a_run_config_has_the_variants_own_numbers(monkeypatch, repository, tmp_path):
    params = tmp_path / "params.yaml"
    params.write_text(
        "profile: sample\nrepeats: [2]\nvariants: {final: {fine_tune: {learning_rate: 0.25}}, split: {}}\n"
    )
    seen = {}

    def stage(run: RunConfig) -> None:
        """Do it."""
        seen.update(run=run)

    profile = repository / "profiles" / "sample.yaml"
    options = ("--profile", profile, "--params", params)
    call(monkeypatch, stage, *options, "--variant", "final", "--repeat", "2")
    run = seen["run"]
    assert (run.profile_name, run.variant, run.repeat) == ("sample", "final", 2)
    assert run.profile.training.seed == 1_000_033
    assert run.profile.training.fine_tune.learning_rate == 0.25
    assert run.profile.training.frozen.learning_rate == 0.001
    with pytest.raises(SystemExit, match=f"error: {params}: variants: there is no 'tiny'; available: final, split"):
        call(monkeypatch, stage, *options, "--variant", "tiny", "--repeat", "2")
    call(monkeypatch, stage, *options, "--variant", "split")
    assert seen["run"].repeat == 1


NOISY_STAGE = """
import logging, os, sys, warnings
from splitpose.stages.command import run

def noisy() -> None:
    '''Write everywhere.'''
    os.write(2, b"native noise\\n")
    logging.getLogger("mlflow").info("library message")
    warnings.warn("a warning")
    logging.getLogger("splitpose.training").info("validation PCK 90")
    sys.exit("error: the last word")

run(noisy)
"""


def test_noise_goes_to_the_stages_log_file_and_messages_to_both(tmp_path):
    (tmp_path / "noisy_stage.py").write_text(NOISY_STAGE)
    program = "import splitpose.stages; import noisy_stage"
    bootstrap = f"import sys; sys.argv = ['-m']; sys.path.insert(0, '.'); exec({program!r})"
    environment = os.environ | {"DVC_STAGE": "evaluate@final"}
    done = subprocess.run(
        [sys.executable, "-c", bootstrap], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stdout == "validation PCK 90\n"
    assert done.stderr == "error: the last word\n"
    log = (tmp_path / "reports" / "logs" / "evaluate@final.log").read_text()
    for words in (
        "native noise",
        "INFO mlflow: library message",
        "a warning",
        "INFO splitpose.training: validation",
    ):
        assert words in log
