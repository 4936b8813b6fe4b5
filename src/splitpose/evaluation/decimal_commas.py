"""Detection of decimal commas among the numbers of a CSV file."""

import re
from collections.abc import Sequence
from pathlib import Path

from splitpose.errors import InputError

_NUMBER = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def has_decimal_commas(path: Path, cells: Sequence[tuple[str, str]]) -> bool:
    """Return whether the numbers of a file have decimal commas.

    Args:
        path: the file, for errors.
        cells: place, for errors, and text of each number.

    Raises:
        InputError: some numbers have a decimal comma and others a point, or the comma may separate thousands: every
            number with a comma has exactly three digits after it, and others are without.
    """
    commas = [(place, cell) for place, cell in cells if _NUMBER.fullmatch(cell)]
    if not commas:
        return False
    (place, cell), points = commas[0], [(place, cell) for place, cell in cells if "." in cell]
    if points:
        raise InputError(
            f"{path}, {place} holds {cell!r} but {points[0][0]} holds {points[0][1]!r}; use the same decimal mark "
            "in all numbers, and no separators of thousands"
        )
    if all(_THOUSANDS.fullmatch(cell) for _, cell in commas) and any(cell.isdecimal() for _, cell in cells):
        raise InputError(
            f"{path}, {place} holds {cell!r}, which may mean {cell.replace(',', '.')} or {cell.replace(',', '')}; "
            "save the file with decimal points and without separators of thousands"
        )
    return True
