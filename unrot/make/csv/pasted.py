"""One row as people paste it: JSON, or a line or two out of a table.

A JSON object (also the body of a call, `{"inputs": {…}}`), a JSON list in the order of the schema,
a line of names with a row under it, or a bare row in the order of the schema; cells parted by tabs,
semicolons, bars or commas, numbers in either notation. A cell means what it means in a file.
`schema.parse_row` stays the judge: what cannot be read is passed on for it to refuse by name.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from unrot.core.errors import Invalid, TooLarge, shown
from unrot.core.plurals import counted
from unrot.core.records import Feature, Schema, Value
from unrot.make.csv.cells import Mark, either, value_of, weigh_marks
from unrot.make.csv.text import DELIMITERS, clean_name, told_width

MOST_CHARACTERS = 200_000
MOST_HINTS = 8
ENVELOPES = ("inputs", "instances")
Cells = list[list[str]]


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a pasted row holds, and what there is no place for."""

    values: Mapping[str, Value]
    unknown: Mapping[str, str]
    """Names that the schema does not have, each with the nearest that it has, or nothing."""


def read(schema: Schema, text: str) -> Pasted:
    """Read a pasted row; raise Invalid when it is none."""
    text = text.strip().lstrip("\ufeff").strip()
    if not text:
        raise Invalid("Nothing was pasted: paste a JSON object, or a row out of a table.")
    if len(text) > MOST_CHARACTERS:
        raise TooLarge(
            f"{len(text):,} characters were pasted and at most {MOST_CHARACTERS:,} are taken: "
            "paste one row."
        )
    if text[0] in "{[":
        return _sorted(schema, _of_json(schema, text))
    return _of_table(schema, text)


def _of_json(schema: Schema, text: str) -> Mapping[str, Value]:
    given = _one(_inside(schema, _parsed(text)))
    if isinstance(given, list):
        _check_width(schema, len(given))
        given = dict(zip(schema.names, given, strict=True))
    if not isinstance(given, Mapping):
        raise Invalid(f"{shown(given)} was pasted: expected a JSON object of features.")
    for name, value in given.items():
        if isinstance(value, list | Mapping):
            raise Invalid(f"{shown(name)} holds {shown(value)}: expected one value for it.")
    return given


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_int=float)
    except RecursionError:
        raise Invalid("The JSON is nested too deeply: expected an object of features.") from None
    except json.JSONDecodeError as error:
        raise Invalid(
            f"It begins like JSON and is none from line {error.lineno}, column {error.colno} on: "
            f"{error.msg}."
        ) from None


def _inside(schema: Schema, given: Any) -> Any:
    """Take the row out of the body of a call."""
    for envelope in ENVELOPES:
        if isinstance(given, Mapping) and envelope in given and envelope not in schema.names:
            return given[envelope]
    return given


def _one(given: Any) -> Any:
    """Take the row out of a list of rows that holds only one."""
    if not isinstance(given, list) or not given or not isinstance(given[0], list | Mapping):
        return given
    if len(given) > 1:
        raise _several(len(given))
    return given[0]


def _of_table(schema: Schema, text: str) -> Pasted:
    tables = [cells for delimiter in DELIMITERS if (cells := _parted(text, delimiter))]
    known = [_count_known(schema, cells[0]) for cells in tables]
    if not any(known):
        names, rows = list(schema.names), [_bare(schema, tables, text)]
    else:
        names, *rows = tables[known.index(max(known))]
    if not rows:
        raise Invalid("Only a line of names was pasted: paste the row that stands under it too.")
    if len(rows) > 1:
        raise _several(len(rows))
    [row] = rows
    if len(row) != len(names):
        raise Invalid(
            f"The row has {counted(len(row), 'value')} and the line above it {len(names)} names."
        )
    pasted = _sorted(schema, dict(zip(map(clean_name, names), row, strict=True)))
    return Pasted(_valued(schema, pasted.values), pasted.unknown)


def _parted(text: str, delimiter: str) -> Cells:
    """Part lines into cells; without cells at the end under which nothing stands."""
    reader = csv.reader(text.splitlines(), delimiter=delimiter, skipinitialspace=True)
    try:
        lines = [cells for cells in reader if any(cells)]
    except csv.Error as error:
        raise Invalid(f"The row cannot be parted into its cells: {error}.") from None
    if len(lines) < 2:
        return lines
    told = max(1, *map(told_width, lines))
    return [cells[: len(cells) - max(0, len(lines[0]) - told)] for cells in lines]


def _count_known(schema: Schema, cells: Sequence[str]) -> int:
    names = {_folded(name) for name in schema.names}
    return sum(_folded(clean_name(cell)) in names for cell in cells)


def _bare(schema: Schema, tables: Sequence[Cells], text: str) -> list[str]:
    """Return the one line in which there are as many cells as features."""
    if len(schema.features) == 1 and len(text.splitlines()) == 1:
        return [text]
    if not tables:
        raise Invalid("Every cell of the row is empty: paste one that holds something.")
    width = len(schema.features)
    fitting = [cells for cells in tables if len(cells[0]) == width]
    fitting += [cells for cells in tables if _is_fitting(cells[0], width)]
    cells = fitting[0] if fitting else max(tables, key=lambda table: len(table[0]))
    if len(cells) > 1:
        raise Invalid(
            f"{len(cells)} lines were pasted, and the first holds no name of a feature: paste one "
            "row, or a line of names and one row under it."
        )
    if not fitting:
        _check_width(schema, len(cells[0]))
    return cells[0][:width]


def _is_fitting(cells: Sequence[str], width: int) -> bool:
    """Tell a line that only has empty cells at its end beyond what is expected."""
    return len(cells) > width and not any(cells[width:])


def _check_width(schema: Schema, found: int) -> None:
    if found != len(schema.features):
        names = ", ".join(schema.names[:6]) + (", …" if len(schema.names) > 6 else "")
        raise Invalid(
            f"The row has {counted(found, 'value')} and no names: expected "
            f"{len(schema.features)}, in this order: {names}."
        )


def _sorted(schema: Schema, given: Mapping[str, Any]) -> Pasted:
    """Tell what the schema knows from what it does not."""
    known = {_folded(name): name for name in reversed(schema.names)}
    known |= {name: name for name in schema.names}
    values: dict[str, Value] = {}
    strange: list[str] = []
    for name, value in given.items():
        found = known.get(name) or known.get(_folded(name))
        if found is None:
            strange.append(name)
        else:
            values[found] = value
    free = [name for name in schema.names if name not in values]
    # A hint costs time for each name, and nobody reads hundreds.
    near = [_nearest(name, free) for name in strange[:MOST_HINTS]]
    return Pasted(values, dict.fromkeys(strange, "") | dict(zip(strange, near, strict=False)))


def _nearest(name: str, free: Sequence[str]) -> str:
    return next(iter(get_close_matches(name[:200], free, n=1)), "")


def _valued(schema: Schema, cells: Mapping[str, Any]) -> dict[str, Value]:
    weights = weigh_marks(cells.values())
    marks: tuple[Mark, Mark] = (",", ".") if weights[","] > weights["."] else (".", ",")
    known = {feature.name: feature for feature in schema.features}
    return {name: _value(known[name], cell, marks) for name, cell in cells.items()}


def _value(feature: Feature, cell: str, marks: tuple[Mark, Mark]) -> Value:
    """Read a cell with the mark of its row, else with the other.

    A number that may be either is read as the one that lies where the model was trained; where that
    does not tell, it stays a text and the form asks.
    """
    if feature.kind in ("number", "integer") and "," in cell and (pair := either(cell)):
        low, high = feature.low, feature.high
        fits = [one for one in pair if low is not None and high is not None and low <= one <= high]
        return fits[0] if len(fits) == 1 else cell.strip()
    read = value_of(feature, cell, marks[0])
    if isinstance(read, str) and feature.kind in ("number", "integer"):
        return value_of(feature, cell, marks[1])
    return read


def _folded(name: str) -> str:
    return name.strip().casefold()


def _several(rows: int) -> Invalid:
    return Invalid(f"{rows:,} rows were pasted: the form takes one, the API takes many at once.")
