import pytest

from splitpose.cli import main
from splitpose.cli.command import RENAMED_OPTIONS, repeat_list_options


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--threads 1 4 m.tflite", "--threads 1 --threads 4 m.tflite"),
        ("m.tflite --threads 1 --runs 5", "m.tflite --threads 1 --runs 5"),
        ("--threads 1 4 --runs 5 6", "--threads 1 --threads 4 --runs 5 6"),
        ("--threads -1 2", "--threads -1 --threads 2"),
        ("--threads 1 --threads 2 4", "--threads 1 --threads 2 --threads 4"),
        ("--threads m.tflite 4", "--threads m.tflite --threads 4"),
        ("1 2 --threads", "1 2 --threads"),
        ("--threads=1 2", "--threads=1 2"),
    ],
)
def test_a_list_option_is_repeated_before_each_of_its_numbers(arguments, expected):
    assert repeat_list_options(arguments.split(), ["--threads"]) == expected.split()


@pytest.mark.parametrize(
    ("arguments", "old"),
    [
        (["score", "--annotations", "a", "--predictions", "p", "--cluster", "image"], "--cluster"),
        (["predict", "x.jpg", "--no-searching"], "--no-searching"),
        (["predict", "x.jpg", "--no-following"], "--no-following"),
        (["benchmark", "m.tflite", "--warm-up-runs=3"], "--warm-up-runs"),
        (["reproduce", "--spread"], "--spread"),
    ],
)
def test_a_renamed_option_is_reported_with_its_new_name(arguments, old, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert f"{old}: this option was renamed to {RENAMED_OPTIONS[old]}" in error
    assert error.count("\n") == 1
