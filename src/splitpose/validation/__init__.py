"""Checks that the annotation table of a source must pass: `run` raises, `inspect` tells."""

from splitpose.validation.result import ValidationResult, failure, inspect, run

__all__ = ["ValidationResult", "failure", "inspect", "run"]
