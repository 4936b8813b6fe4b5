"""The errors that a user is meant to read."""


class InputError(Exception):
    """Bad input: one line that names the file, key or row and says what to do.

    The command line and the stages print it without a traceback and end with status 1.
    """


class ExternalServiceError(InputError):
    """Something outside the workspace, a server say, did not do its part; another try may help."""
