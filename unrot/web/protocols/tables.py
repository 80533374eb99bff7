"""Rows as other clients send them, made into the rows that a model takes.

Their tensors and frames have types of their own: a gap is NaN, true is 1, a category a number. What
a feature's value can be read as without losing anything is read so; the rest is left as it came,
for the schema to say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from unrot.core.errors import TooLarge, wrong_field
from unrot.core.plurals import counted
from unrot.core.records import Feature, Schema
from unrot.core.schema import MOST_ROWS
from unrot.hear.key_store import read_key
from unrot.serve.shelf import ShelvedModel

Given = dict[str, Any]
T = TypeVar("T")

KEY = "key"
"""A column of this name that is no feature has the client's own keys."""

LONGEST_NUMBER = 40
MOST_NAMED = 20
BINARY = "b64"
NO_BINARY = "numbers, texts or true and false: no model here takes bytes (b64)"


def check_count(rows: int) -> None:
    """Raise TooLarge for more rows than are taken at once, before anything is made of them."""
    if rows > MOST_ROWS:
        raise TooLarge(f"{rows:,} rows at once, and at most {MOST_ROWS:,} are taken: send parts.")


def at_most(rows: Iterable[T]) -> list[T]:
    """Return rows; raise TooLarge at the first of more than are taken at once."""
    found = list(islice(rows, MOST_ROWS + 1))
    if len(found) > MOST_ROWS:
        raise TooLarge(f"More than {MOST_ROWS:,} rows at once: send parts.")
    return found


def rows_of_columns(columns: Mapping[str, Sequence[Any]]) -> list[Given]:
    """Return rows by name from columns by name, which are equally long.

    >>> rows_of_columns({"a": [1, 2], "b": [3, 4]})
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 4}]
    """
    lengths = {name: len(column) for name, column in columns.items()}
    most = max(lengths.values(), default=0)
    check_count(most)
    for name, length in lengths.items():
        if length != most:
            raise wrong_field(name, columns[name], f"{counted(most, 'value')}, as of the others")
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def rows_in_order(schema: Schema, rows: Sequence[Any], field: str) -> list[Given]:
    """Return rows by name from lists in the order of the schema."""
    check_count(len(rows))
    names = schema.names
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            expected = f"a list of {counted(len(names), 'value')}: {', '.join(names)}"
            raise wrong_field(field, row, expected, row=number)
    return [dict(zip(names, row, strict=True)) for row in rows]


def fitted(schema: Schema, rows: Sequence[Given]) -> list[Given]:
    """Return rows with each value as its feature takes it, where nothing is lost by that."""
    readers = {feature.name: _reader_of(feature) for feature in schema.features}
    return [
        {name: readers[name](value) if name in readers else value for name, value in row.items()}
        for row in rows
    ]


def take_keys(schema: Schema, rows: Sequence[Given]) -> list[str | None]:
    """Take the clients' own keys out of rows that have them."""
    if KEY in schema.names or not any(KEY in row for row in rows):
        return []
    keys = [row.pop(KEY, None) for row in rows]
    return [None if key is None else read_key(key) for key in keys]


def version_of(shelved: ShelvedModel, named: str | None) -> str | None:
    """Return the version that an address means: by name, number or alias; None is the champion."""
    if named is None or named in shelved.versions:
        return named
    return shelved.aliases.get(named) or (f"v{named}" if f"v{named}" in shelved.versions else named)


def _reader_of(feature: Feature) -> Callable[[Any], Any]:
    readers = {"boolean": _as_boolean, "category": _as_text}
    read = readers.get(feature.kind, _as_number)
    return (lambda value: None if _is_gap(value) else read(value)) if feature.nullable else read


def _is_gap(value: Any) -> bool:
    return bool(value != value)


def _as_boolean(value: Any) -> Any:
    return bool(value) if value in (0, 1) and not isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    """Write a number as the choice it stands for: 3.0 is "3"."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        return value
    return str(int(value)) if value == int(value) else str(value)


def _as_number(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > LONGEST_NUMBER:
        return value
    try:
        return float(value)
    except ValueError:
        return value


# ── instances and inputs: as TensorFlow Serving, Google and MLflow have them ─────────────────────


def rows_of_instances(schema: Schema, given: Any, field: str = "instances") -> list[Given]:
    """Return rows by name from objects, from lists in order, or from single values."""
    if not isinstance(given, list):
        expected = "a list of rows, each an object by name or a list in order"
        raise wrong_field(field, given, expected, is_missing=given is None)
    check_count(len(given))
    return [_row_of_instance(schema, one, field, number) for number, one in enumerate(given)]


def rows_of_inputs(schema: Schema, given: Any, field: str = "inputs") -> list[Given]:
    """Return rows by name from columns by name, else from a list of rows."""
    if not isinstance(given, Mapping):
        return rows_of_instances(schema, given, field)
    return rows_of_columns({name: _column(name, column) for name, column in given.items()})


def _column(name: str, given: Any) -> list[Any]:
    values = given if isinstance(given, list) else [given]
    return [_single(name, value) for value in values]


def _row_of_instance(schema: Schema, given: Any, field: str, number: int) -> Given:
    names = schema.names
    if isinstance(given, Mapping):
        if BINARY in given and BINARY not in names:
            raise wrong_field(field, given, NO_BINARY, row=number)
        return {name: _single(name, value) for name, value in given.items()}
    values = given if isinstance(given, list) else [given]
    if len(values) != len(names):
        expected = f"a list of {counted(len(names), 'value')}: {', '.join(names[:MOST_NAMED])}"
        raise wrong_field(field, given, expected, row=number)
    return {name: _single(name, value) for name, value in zip(names, values, strict=True)}


def _single(name: str, value: Any) -> Any:
    """Return the one value of a tensor of a single value; another as it is."""
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if isinstance(value, Mapping) and BINARY in value:
        raise wrong_field(name, value, NO_BINARY)
    return value
