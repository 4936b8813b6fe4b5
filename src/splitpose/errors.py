"""Errors whose message is meant for the user."""


class InputError(Exception):
    """Invalid input: one line that names the file, key or row and the remedy.

    The command line and the stages print it without a traceback and exit with status 1.
    """


class ExternalServiceError(InputError):
    """A failure outside the workspace, for example of a server; a retry may help."""
