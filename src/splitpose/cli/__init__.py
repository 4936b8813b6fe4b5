"""Command line `splitpose`: one typer application with a subcommand for every task."""

import sys
from collections.abc import Sequence

from splitpose.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status.

    Args:
        arguments: the command-line arguments without the program's name; None takes those of the process.

    Returns:
        0 on success, 1 for invalid input or a failed system call, 2 for wrong usage, 130 after Ctrl-C. Every error
        is one line on stderr, without a traceback.
    """
    import typer
    from typer.exceptions import TyperException

    from splitpose.cli.app import app

    try:
        status = typer.main.get_command(app).main(arguments, prog_name="splitpose", standalone_mode=False)
    except TyperException as error:
        context = getattr(error, "ctx", None)  # usage errors have a context
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
