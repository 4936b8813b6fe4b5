"""The command line of a stage, whose options are the parameters of the stage's function.

Example: `python -m splitpose.stages.augment --profile profiles/sample.yaml --data data ...`
"""

import argparse
import dataclasses
import errno
import sys
from collections.abc import Callable, Iterator
from inspect import get_annotations, signature
from pathlib import Path
from typing import Any, cast, get_type_hints

from splitpose.errors import InputError
from splitpose.settings import Profile, RunConfig, load
from splitpose.stages import log

RUN_CONFIG_OPTIONS = {"profile": Path, "params": Path, "variant": str, "repeat": int}
"""The options from which a RunConfig is resolved."""

DEFAULTS = {"repeat": 1}
"""The values of options that may be omitted."""


def run(stage: Callable[..., None]) -> None:
    """Run a stage with the command line's options; errors that users can fix end in one line and status 1.

    The type of a parameter determines its options: `str` and `Path` are one option; `Profile` is the path of a
    profile, which is read; `RunConfig` is resolved from --profile, --params, --variant and --repeat (1 if omitted);
    a frozen dataclass of paths has one option for each field.
    """
    log.configure()
    parser = argparse.ArgumentParser(description=(stage.__doc__ or "").splitlines()[0])
    types = get_annotations(stage, eval_str=True)
    types = {name: types[name] for name in signature(stage).parameters}
    for name, option_type in dict(_options(types)).items():
        option, default = f"--{name.replace('_', '-')}", DEFAULTS.get(name)
        parser.add_argument(option, type=option_type, default=default, required=default is None)
    options: dict[str, Any] = vars(parser.parse_args())
    try:
        stage(**{name: _value(name, parameter_type, options) for name, parameter_type in types.items()})
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            path = error.filename or Path.cwd()
            sys.exit(f"error: {path}: no space left on its disk; free some space and run again")
        raise


def _dataclass_options(parameter_type: Any) -> dict[str, str]:
    """Return the option of each field of a dataclass of paths.

    An option has the name of its field, unless the field is annotated with another one, as in
    `history: Annotated[Path, "--curve"]`: the option names of stages are a fixed contract, field names are not.
    """
    hints = get_type_hints(parameter_type, include_extras=True)
    names = {name: getattr(hint, "__metadata__", (f"--{name}",))[0] for name, hint in hints.items()}
    return {name: option.removeprefix("--").replace("-", "_") for name, option in names.items()}


def _options(types: dict[str, Any]) -> Iterator[tuple[str, type]]:
    """Yield the name and type of every option of a stage, given the types of its parameters."""
    for name, parameter_type in types.items():
        if parameter_type is RunConfig:
            yield from RUN_CONFIG_OPTIONS.items()
        elif dataclasses.is_dataclass(parameter_type):
            yield from ((option, Path) for option in _dataclass_options(parameter_type).values())
        else:
            yield name, str if parameter_type is str else Path


def _value(name: str, parameter_type: Any, options: dict[str, Any]) -> Any:
    """Return the value of a stage's parameter, given the values of the options."""
    if parameter_type is RunConfig:
        return RunConfig.resolve(**{option: options[option] for option in RUN_CONFIG_OPTIONS})
    if dataclasses.is_dataclass(parameter_type):
        values = {name: options[option] for name, option in _dataclass_options(parameter_type).items()}
        return cast(Callable[..., Any], parameter_type)(**values)
    return load(Profile, options[name]) if parameter_type is Profile else options[name]
