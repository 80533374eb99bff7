"""Rows as the table of numbers that our own models are fitted on and served with.

    number, integer   the number itself
    boolean           0 or 1
    category          the place of the choice in the schema; -1 for one that training never saw
    a gap             NaN

A model of numbers alone, the common case, is one call to numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Feature, Row, Schema, Value

UNSEEN = -1.0


class Encoder:
    """Turns the rows of one schema into numbers and back."""

    def __init__(self, schema: Schema) -> None:
        self._features = schema.features
        self._places: dict[int, Mapping[Value, float]] = {
            column: {choice: float(place) for place, choice in enumerate(feature.choices)}
            for column, feature in enumerate(schema.features)
            if feature.kind == "category"
        }

    def encode(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """Write rows that the schema has checked as a table of numbers."""
        if not self._places:
            return np.array(rows, dtype=np.float64).reshape(len(rows), len(self._features))
        encoded = [self._encoded(row) for row in rows]
        return np.array(encoded, dtype=np.float64).reshape(len(rows), len(self._features))

    def decode(self, table: NDArray[np.float64]) -> list[Row]:
        """Read rows back from a table of numbers; an unseen choice cannot be known again."""
        return [
            [_value(feature, number) for feature, number in zip(self._features, row, strict=True)]
            for row in table.tolist()
        ]

    def _encoded(self, row: Row) -> list[Any]:
        coded = list(row)
        for column, places in self._places.items():
            value = coded[column]
            coded[column] = None if value is None else places.get(value, UNSEEN)
        return coded


def _value(feature: Feature, number: float) -> Value:
    if number != number:
        return None
    if feature.kind == "boolean":
        return bool(number)
    if feature.kind == "category":
        return feature.choices[int(number)] if number >= 0 else None
    return number
