"""Read a CSV file of numbers as people have it, or say what is wrong with it and where.

A byte-order mark, Windows line ends, blank lines, columns in another order and columns beyond
those that are asked for are all fine; so is a file without a header, in the order of the names.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unrot.core.errors import Invalid, shown
from unrot.core.plurals import counted

GAPS = frozenset({"", "?", "na", "nan"})
Record = tuple[int, list[str]]


def read_table(
    path: Path, names: Sequence[str], *, aliases: Mapping[str, str] | None = None
) -> NDArray[np.float64]:
    """Return the named columns of a CSV file, NaN for gaps; raise Invalid naming line and column.

    `aliases` gives other headings under which a column is also known.
    """
    records = _records(path)
    if not records:
        raise Invalid(f"{path.name} is empty: expected a row of {len(names)} values a line.")
    heading = _heading(records[0][1], aliases or {})
    places, width = _places(path, heading, names, len(records[0][1]))
    rows = records if heading is None else records[1:]
    if not rows:
        raise Invalid(f"{path.name} holds a header and no rows.")
    return np.array([_read(path, record, names, places, width) for record in rows])


def _records(path: Path) -> list[Record]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        reader = csv.reader(text.splitlines())
        records = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except FileNotFoundError as error:
        raise Invalid(f"There is no file {path}.") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{path.name} is not UTF-8 text: save it as CSV in UTF-8.") from error
    except csv.Error as error:
        raise Invalid(f"{path.name} is not a CSV file: {error}.") from error
    return [(line, cells) for line, cells in records if any(cells)]


def _heading(cells: Sequence[str], aliases: Mapping[str, str]) -> list[str] | None:
    """Return the column names of a first line that is a header."""
    if all(cell.lower() in GAPS or _number(cell) is not None for cell in cells):
        return None
    names = [cell.lower() for cell in cells]
    return [aliases.get(name, name) for name in names]


def _places(
    path: Path, heading: list[str] | None, names: Sequence[str], width: int
) -> tuple[list[int], int]:
    if heading is None:
        if width != len(names):
            raise Invalid(
                f"{path.name} has no header and {counted(width, 'column')}: "
                f"expected {len(names)}: {', '.join(names)}."
            )
        return list(range(width)), width
    missing = [name for name in names if name not in heading]
    if missing:
        raise Invalid(
            f"{path.name} has no column {', '.join(missing)}: expected {', '.join(names)}."
        )
    return [heading.index(name) for name in names], width


def _read(
    path: Path, record: Record, names: Sequence[str], places: Sequence[int], width: int
) -> list[float]:
    line, cells = record
    if len(cells) != width:
        raise Invalid(
            f"{path.name}, line {line}: {counted(len(cells), 'value')}, expected {width}."
        )
    pairs = zip(names, places, strict=True)
    return [_value(path, line, name, cells[place]) for name, place in pairs]


def _value(path: Path, line: int, name: str, cell: str) -> float:
    if cell.lower() in GAPS:
        return math.nan
    number = _number(cell)
    if number is None:
        raise Invalid(f"{path.name}, line {line}, column {name}: {shown(cell)}, expected a number.")
    return number


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
