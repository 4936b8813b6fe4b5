"""Errors whose message is meant for the user."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

ESCAPED_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's categories of control characters, undecodable bytes, and line and paragraph separators."""


class InputError(Exception):
    """Invalid input: one line that names the file, key or row and the remedy.

    The command line and the stages print it without a traceback and exit with status 1.
    """


class ExternalServiceError(InputError):
    """A failure outside the workspace, for example of a server; a retry may help."""


def root_cause(error: BaseException) -> BaseException:
    """Return the innermost error of a chain of exceptions."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


def one_line(error: BaseException) -> str:
    """Return an error's message on one line, such as "Connection refused", or its type if it has no message."""
    return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())


def some_of(items: Sequence[str], limit: int = 3) -> str:
    """Return the first items on one line, such as "a, b, c and 25 more"."""
    more = len(items) - limit
    return ", ".join(items[:limit]) + (f" and {more:,} more" if more > 0 else "")


def printable(path: Path | str) -> str:
    r"""Return a path as one line of valid text: bytes that are not UTF-8 become `\xf1`, line feeds `\n`."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(
        ascii(character)[1:-1] if unicodedata.category(character) in ESCAPED_CATEGORIES else character
        for character in text
    )
