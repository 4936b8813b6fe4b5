"""A version of the registered model in MLflow's model registry."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of the registered model: a TFLite file and its Keras weights, which belong to an MLflow run."""

    number: str
    """MLflow's version number."""
    run: str
    """The id of the run."""
    sha256: str
    """The hash of the file, "" if the version was not registered by this class."""
    variant: str
    precision: str
    tags: Mapping[str, str]
    """All tags of the version in MLflow."""
