"""Checks that the annotation table of a source must pass: `run` raises, `inspect` tells."""

from splitpose.checks.verdict import Verdict, failure, inspect, run

__all__ = ["Verdict", "failure", "inspect", "run"]
