"""The result type that all readers of annotations share."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class ReaderResult:
    """An annotation table, how many instances the reader skipped, and remarks."""

    table: pd.DataFrame
    """Annotation table."""
    skipped: dict[str, int]
    """Number of skipped instances by reason."""
    notes: tuple[str, ...] = ()
    """Remarks for the user, one line each."""


def concatenate(results: Iterable[ReaderResult]) -> ReaderResult:
    """Concatenate the tables of at least one result, add up the skipped instances and collect the notes."""
    tables, skipped, notes = [], Counter[str](), list[str]()
    for result in results:
        tables.append(result.table)
        skipped.update(result.skipped)
        notes += result.notes
    return ReaderResult(pd.concat(tables, ignore_index=True), dict(skipped), tuple(notes))
