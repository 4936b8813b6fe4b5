"""The one error that a user is meant to read."""


class InputError(Exception):
    """Bad input: one line that names the file, key or row and says what to do.

    The command line and the stages print it without a traceback and end with status 1.
    """
