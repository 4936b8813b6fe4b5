"""How a stage becomes a command: its function's parameters are the command's options.

`python -m splitpose.stages.augment --profile profiles/sample.yaml --data data ...`
"""

import argparse
import dataclasses
import errno
import sys
from collections.abc import Callable, Iterator
from inspect import get_annotations, signature
from pathlib import Path
from typing import Any, cast

from splitpose.errors import InputError
from splitpose.settings import Profile, RunConfig, load
from splitpose.stages import log

RUN_CONFIG_OPTIONS = {"profile": Path, "params": Path, "variant": str}
"""The options from which a RunConfig is resolved."""


def run(stage: Callable[..., None]) -> None:
    """Run a stage with the command line's options; an error that a user can fix ends in one line and status 1.

    A parameter of the stage is text (`str`), a path (`Path`), the profile, which is read from its file (`Profile`),
    the variant's run configuration, which is resolved from --profile, --params and --variant (`RunConfig`), or a
    frozen dataclass of paths, whose fields are options of their own.
    """
    log.configure()
    parser = argparse.ArgumentParser(description=(stage.__doc__ or "").splitlines()[0])
    kinds = get_annotations(stage, eval_str=True)
    kinds = {name: kinds[name] for name in signature(stage).parameters}
    for name, kind in dict(_options(kinds)).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, required=True)
    options: dict[str, Any] = vars(parser.parse_args())
    try:
        stage(**{name: _value(name, kind, options) for name, kind in kinds.items()})
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            place = error.filename or Path.cwd()
            sys.exit(f"error: {place}: no space left on its disk; free some space and run again")
        raise


def _options(kinds: dict[str, Any]) -> Iterator[tuple[str, type]]:
    """Yield the name and type of every option of a stage with these parameters."""
    for name, kind in kinds.items():
        if kind is RunConfig:
            yield from RUN_CONFIG_OPTIONS.items()
        elif dataclasses.is_dataclass(kind):
            yield from ((field.name, Path) for field in dataclasses.fields(kind))
        else:
            yield name, str if kind is str else Path


def _value(name: str, kind: Any, options: dict[str, Any]) -> Any:
    """Return the value of a stage's parameter from the values of the options."""
    if kind is RunConfig:
        return RunConfig.resolve(**{option: options[option] for option in RUN_CONFIG_OPTIONS})
    if dataclasses.is_dataclass(kind):
        values = {field.name: options[field.name] for field in dataclasses.fields(kind)}
        return cast(Callable[..., Any], kind)(**values)
    return load(Profile, options[name]) if kind is Profile else options[name]
