import errno
from pathlib import Path

import pytest

from splitpose.errors import InputError
from splitpose.settings import Profile
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
            "error: no space left on the disk of data/x; free some and run again",
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line(monkeypatch, error, line):
    def stage() -> None:
        """Fail."""
        raise error

    with pytest.raises(SystemExit) as raised:
        call(monkeypatch, stage)
    assert raised.value.code == line


def test_our_own_faults_keep_their_traceback(monkeypatch):
    def stage() -> None:
        """Fail."""
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call(monkeypatch, stage)
