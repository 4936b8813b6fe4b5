"""How a stage becomes a command: its function's keyword parameters are its options.

`python -m splitpose.stages.augment --profile profiles/sample.yaml --data data ...`
"""

import argparse
import errno
import sys
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

from splitpose.errors import InputError
from splitpose.settings import Profile, load


def run(stage: Callable[..., None]) -> None:
    """Run a stage with the command line's options; errors that a user can mend end in one line and status 1.

    Options are text, paths (`Path`) and the profile, which is read from its file (`Profile`).
    """
    parser = argparse.ArgumentParser(description=(stage.__doc__ or "").splitlines()[0])
    kinds = {name: parameter.annotation for name, parameter in signature(stage).parameters.items()}
    for name, kind in kinds.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=str if kind is str else Path, required=True)
    options: dict[str, Any] = vars(parser.parse_args())
    try:
        for name, kind in kinds.items():
            if kind is Profile:
                options[name] = load(Profile, options[name])
        stage(**options)
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            sys.exit(f"error: no space left on the disk of {error.filename or Path.cwd()}; free some and run again")
        raise
