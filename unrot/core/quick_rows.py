"""Rows as JSON has them, read straight into a table of numbers, by what is known of their schema.

This reader takes what is usual and explains nothing: for all else it returns None, and
`schema.parse_rows`, which names every field that is wrong, reads the same again. What it takes is
read as that one would read it, and encoded as `encoding.Encoder` would; a test plays both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from math import isfinite
from operator import itemgetter
from types import NoneType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Feature, Row, Schema, Value
from unrot.core.schema import MOST_ROWS, limit_of
from unrot.core.table import Table

Read = tuple[Sequence[Row], NDArray[np.float64]]
"""Rows for the journal, and the same as numbers."""
GAP = float("nan")
_FLOATS, _NUMBERS, _TEXTS, _SWITCHES = {float}, {float, int}, {str}, {bool}


class QuickRows:
    """Reads the rows of one schema."""

    def __init__(self, schema: Schema) -> None:
        features = schema.features
        self._width = len(features)
        self._of_object: Callable[[Any], Row] = itemgetter(*schema.names)
        if self._width == 1:
            [name] = schema.names
            self._of_object = lambda given: (given[name],)
        self._is_plain = all(_is_plain_number(feature) for feature in features)
        self._limit = min(
            (limit_of(feature) for feature in features if _counts(feature)), default=0
        )
        self._columns = [_column_reader(feature) for feature in features]

    def one(self, given: Any) -> list[float] | None:
        """Read one object, where all features are plain numbers."""
        if not self._is_plain or type(given) is not dict or len(given) != self._width:
            return None
        try:
            row: Any = self._of_object(given)
            if {*map(type, row)} != _FLOATS:
                if not {*map(type, row)} <= _NUMBERS:
                    return None
                row = [*map(float, row)]
        except (KeyError, OverflowError):
            return None
        least, most = _ends(row)
        return row if -self._limit < least and most < self._limit else None

    def read(self, inputs: Any) -> Read | None:
        """Read an object, or a list of objects."""
        if type(inputs) is dict:
            return self._read_all([inputs], dict, self._of_object)
        return self._read_all(inputs, dict, self._of_object)

    def read_lists(self, instances: Any) -> Read | None:
        """Read lists in the order of the schema."""
        return self._read_all(instances, list, tuple)

    def _read_all(self, given: Any, kind: type, row_of: Callable[[Any], Row]) -> Read | None:
        if type(given) is not list or not 0 < len(given) <= MOST_ROWS:
            return None
        if {*map(type, given)} != {kind} or {*map(len, given)} != {self._width}:
            return None
        try:
            rows = map(row_of, given)
            return self._numbers(rows) if self._is_plain else self._mixed([*rows])
        except (KeyError, OverflowError):  # Another name, or a number beyond all others.
            return None

    def _numbers(self, rows: Iterable[Row]) -> Read | None:
        """Read rows of numbers without gaps, the common case, as one."""
        cells: list[Any] = [*chain.from_iterable(rows)]
        if not {*map(type, cells)} <= _NUMBERS:
            return None
        table = np.fromiter(cells, np.float64, len(cells)).reshape(-1, self._width)
        is_within = -self._limit < table.min() and table.max() < self._limit
        return (Table(table), table) if is_within else None

    def _mixed(self, rows: list[Row]) -> Read | None:
        """Read rows of several kinds, column by column."""
        table = np.empty((len(rows), self._width), dtype=np.float64)
        columns: list[Sequence[Value]] = []
        for place, (reader, cells) in enumerate(
            zip(self._columns, zip(*rows, strict=True), strict=True)
        ):
            read = reader(cells)
            if read is None:
                return None
            columns.append(read[0])
            table[:, place] = read[1]
        return [*zip(*columns, strict=True)], table


def _ends(row: Row) -> tuple[float, float]:
    """Return the least and the largest number; NaN for both where one is none."""
    numbers = cast(Sequence[float], row)
    return (min(numbers), max(numbers)) if isfinite(sum(numbers)) else (GAP, GAP)


Column = tuple[Sequence[Value], Sequence[float]]
"""Cells as they are kept, and as numbers."""


def _column_reader(feature: Feature) -> Callable[[Sequence[Any]], Column | None]:
    if feature.kind == "category":
        return _texts_of(feature)
    return _switches_of(feature) if feature.kind == "boolean" else _numbers_of(feature)


def _texts_of(feature: Feature) -> Callable[[Sequence[Any]], Column | None]:
    places: Mapping[Any, float] = {
        **({None: GAP} if feature.nullable else {}),
        **{choice: float(place) for place, choice in enumerate(feature.choices)},
    }

    def read(cells: Sequence[Any]) -> Column | None:
        if not _kinds_of(cells, feature) <= _TEXTS:
            return None
        return cells, [places[cell] for cell in cells]  # A choice never seen is a KeyError.

    return read


def _switches_of(feature: Feature) -> Callable[[Sequence[Any]], Column | None]:
    def read(cells: Sequence[Any]) -> Column | None:
        if not _kinds_of(cells, feature) <= _SWITCHES:
            return None
        return cells, [GAP if cell is None else float(cell) for cell in cells]

    return read


def _numbers_of(feature: Feature) -> Callable[[Sequence[Any]], Column | None]:
    limit = limit_of(feature)

    def read(cells: Sequence[Any]) -> Column | None:
        if not _kinds_of(cells, feature) <= _NUMBERS:
            return None
        kept = [None if cell is None else float(cell) for cell in cells]
        known = [cell for cell in kept if cell is not None]
        # A sum that is finite has no NaN in it, which no comparison would find.
        if known and not (isfinite(sum(known)) and -limit < min(known) and max(known) < limit):
            return None
        return kept, [GAP if cell is None else cell for cell in kept]

    return read


def _kinds_of(cells: Sequence[Any], feature: Feature) -> set[type]:
    kinds = {*map(type, cells)}
    return kinds - {NoneType} if feature.nullable else kinds


def _counts(feature: Feature) -> bool:
    return feature.kind in ("number", "integer")


def _is_plain_number(feature: Feature) -> bool:
    return _counts(feature) and not feature.nullable
