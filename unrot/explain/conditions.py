"""What a rule can be made of: conditions on one feature each, all of which hold in one row.

Of a number they are bounds at the quantiles of the rows that are known, on both sides of the row's
own value. Of a choice, of yes and no, and of a number with few values the condition is the row's
own value; of a gap it is that the value is missing. Private features have none: a rule would tell
where they lie.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Feature, Row, Schema, Value
from unrot.explain.examples import Cells

Side = Literal["above", "upto", "is"]
QUANTILES = np.linspace(0.05, 0.95, 19)
FEW_VALUES = 4
"""An integer with no more is as a choice: 0 and 1 are mostly no and yes."""
MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be true of one feature."""

    feature: int
    side: Side
    value: Value

    def fits(self, column: Cells) -> NDArray[np.bool_]:
        """Tell of each value whether the condition is true of it."""
        if self.side == "is":
            return np.array([self._is(value) for value in column.tolist()], dtype=bool)
        numbers = numbers_of(column)
        bound = float(self.value or 0.0)
        # A gap is neither above nor below anything.
        return (numbers > bound) if self.side == "above" else (numbers <= bound)

    def _is(self, value: Value) -> bool:
        return value is None if self.value is None else value == self.value


def conditions_of(schema: Schema, table: Cells, row: Row) -> list[Condition]:
    """Return all conditions that hold in a row, feature by feature, the closest bound first."""
    return [
        condition
        for place, feature in enumerate(schema.features)
        if not feature.is_private
        for condition in _of_feature(place, feature, table[:, place], row[place])
    ]


def _of_feature(place: int, feature: Feature, column: Cells, value: Value) -> list[Condition]:
    if value is None or isinstance(value, bool | str) or _is_told_by_value(feature, column):
        return [Condition(place, "is", value)]
    bounds, number = _bounds(column), float(value)
    below = [bound for bound in reversed(bounds) if bound < number]
    above = [bound for bound in bounds if bound >= number]
    return [
        *(Condition(place, "above", bound) for bound in below),
        *(Condition(place, "upto", bound) for bound in above),
    ]


def _is_told_by_value(feature: Feature, column: Cells) -> bool:
    if feature.kind not in ("number", "integer"):
        return True
    return feature.kind == "integer" and len({*column.tolist()} - {None}) <= FEW_VALUES


def _bounds(column: Cells) -> list[float]:
    """Return numbers that part the known ones at their quantiles, with as few digits as can be."""
    numbers = numbers_of(column)
    known = np.unique(numbers[~np.isnan(numbers)])
    if len(known) < 2:
        return []
    at = np.quantile(numbers[~np.isnan(numbers)], QUANTILES, method="lower")
    places = np.unique(np.searchsorted(known, at))
    return [_short(float(known[at]), float(known[at + 1])) for at in places if at + 1 < len(known)]


def _short(low: float, high: float) -> float:
    """Return the number with the fewest digits from `low` up to, and without, `high`.

    >>> _short(4.8123, 4.95), _short(3.0, 4.0), _short(-0.037, 0.02), _short(81_234.5, 92_000.0)
    (4.9, 3.0, -0.03, 90000.0)
    """
    largest = max(abs(low), abs(high))
    first = -math.floor(math.log10(largest))
    for digits in range(first, first + MOST_DIGITS):
        found = round(math.ceil(round(low * 10.0**digits, 6)) / 10.0**digits, max(digits, 0))
        if low <= found < high:
            return found
    return low


def numbers_of(column: Cells) -> NDArray[np.float64]:
    """Return a column of numbers, with gaps as NaN."""
    return column.astype(np.float64)
