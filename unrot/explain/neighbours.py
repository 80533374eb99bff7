"""The rows of the training that are most like one, with what was true of them.

How far two rows are apart is the mean over the features: of numbers how far they are apart in
spreads of the training (its standard deviation between the 1st and the 99th percentile), of choices
0 or 1, and 1 between a gap and a value. Private features are left out: whoever may ask with any
value could read from the distances what the values of the training are.

    >>> from unrot.explain.examples import as_table
    >>> schema = Schema((Feature("size", "number"), Feature("colour", "category")), "kind")
    >>> table = as_table([[1.0, "red"], [3.0, "blue"], [None, "red"]])
    >>> found = find_neighbours(schema, Examples(table, ["a", "b", "c"]), [1.5, "red"])
    >>> [(one.truth, round(one.distance, 2), one.differs) for one in found]
    [('a', 0.26, (True, False)), ('c', 0.5, (True, False)), ('b', 1.27, (True, True))]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrot.core.ports import Label
from unrot.core.records import Feature, Row, Schema, Value
from unrot.explain.conditions import numbers_of
from unrot.explain.examples import Cells, Examples

COUNT = 3
BETWEEN = (1, 99)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A row of the training, how far it is, and what was true of it."""

    row: Row
    """Its values; None in the place of each private one."""
    truth: Label
    distance: float
    differs: tuple[bool, ...]
    """Of each feature whether it is another value; never told of a private one."""


def find_neighbours(
    schema: Schema, examples: Examples, row: Row, count: int = COUNT
) -> list[Neighbour]:
    """Return the nearest examples, the nearest first."""
    told = [place for place, feature in enumerate(schema.features) if not feature.is_private]
    apart = [_apart(schema.features[at], examples.table[:, at], row[at]) for at in told]
    if not apart:
        return []
    distances = np.mean(apart, axis=0)
    nearest = np.argsort(distances, kind="stable")[:count].tolist()
    return [_neighbour(examples, at, float(distances[at]), row, told) for at in nearest]


def _neighbour(
    examples: Examples, at: int, distance: float, row: Row, told: Sequence[int]
) -> Neighbour:
    here = examples.table[at].tolist()
    shown = [value if place in told else None for place, value in enumerate(here)]
    differs = tuple(place in told and value != row[place] for place, value in enumerate(here))
    return Neighbour(shown, examples.truth[at], distance, differs)


def _apart(feature: Feature, column: Cells, value: Value) -> Floats:
    """Return how far each value of a column is from one value."""
    if feature.kind not in ("number", "integer"):
        return np.array([other != value for other in column.tolist()], dtype=np.float64)
    numbers = numbers_of(column)
    gaps = np.isnan(numbers)
    if value is None:
        return (~gaps).astype(np.float64)
    spread = _spread(numbers[~gaps])
    with np.errstate(over="ignore"):
        far = np.abs(numbers - float(value))
    # Where the training has one number alone, any other is one spread away.
    return np.where(gaps, 1.0, far / spread if spread else far > 0)


def _spread(known: Floats) -> float:
    if not len(known):
        return 0.0
    return float(np.clip(known, *np.percentile(known, BETWEEN)).std()) or float(known.std())
