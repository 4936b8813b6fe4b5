"""The class of all subcommands, which supports options with several values and reports renamed options."""

from collections import deque
from collections.abc import Collection, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperOption

RENAMED_OPTIONS = {
    "--cluster": "--bootstrap-cluster",
    "--no-searching": "--no-search",
    "--no-following": "--no-tracking",
    "--warm-up-runs": "--warmup-runs",
    "--spread": "--distribute",
}
"""Options of earlier versions and their present names, so that the error names the new option."""


class Command(TyperCommand):
    """Command whose list options take several numbers: `--threads 1 4` means `--threads 1 --threads 4`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments after reporting renamed options and repeating list options."""
        options = {name: param for param in self.params if isinstance(param, TyperOption) for name in param.opts}
        for argument in args:
            name = argument.partition("=")[0]
            if name in RENAMED_OPTIONS and name not in options:
                raise typer.BadParameter(
                    f"this option was renamed to {RENAMED_OPTIONS[name]}", ctx, param_hint=name
                )
        lists = [name for name, option in options.items() if option.multiple]
        return super().parse_args(ctx, repeat_list_options(args, lists))


def repeat_list_options(arguments: Sequence[str], names: Collection[str]) -> list[str]:
    """Return the arguments with a list option's name before each of its numbers.

    Args:
        arguments: the arguments of a command.
        names: the list options, for example "--threads". The first argument after a list option is always its
            value; the next ones are values too as long as they are numbers.
    """
    rest, repeated = deque(arguments), []
    while rest:
        argument = rest.popleft()
        repeated.append(argument)
        if argument in names and rest:
            repeated.append(rest.popleft())
            while rest and _is_number(rest[0]):
                repeated += [argument, rest.popleft()]
    return repeated


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
