"""Command line `splitpose`: one typer application with a subcommand for every task."""

import sys
from collections.abc import Sequence

from splitpose.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status.

    Args:
        arguments: the words after `splitpose`; None takes those of the process.

    Returns:
        0 only when the command did what it was asked to do, 1 for bad input or a failing system call, 2 for wrong
        usage, 130 when it was interrupted. Every error is one line on stderr, without a traceback.
    """
    import typer
    from typer.exceptions import TyperException

    from splitpose.cli.app import app

    try:
        status = typer.main.get_command(app).main(arguments, prog_name="splitpose", standalone_mode=False)
    except TyperException as error:
        context = getattr(error, "ctx", None)  # errors of usage have one
        hint = f"; see `{context.command_path} --help`" if context else ""
        print(f"error: {' '.join(error.format_message().split()).rstrip('.')}{hint}", file=sys.stderr)
        return error.exit_code
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # for example a full disk, or a folder that is not writable
        print(f"error: {f'{error.filename}: {error.strerror}' if error.filename else error}", file=sys.stderr)
        return 1
    if status == 130:
        print("interrupted", file=sys.stderr)
    return status or 0
