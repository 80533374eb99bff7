"""What would change an answer: few features moved, within the training, until the class is another.

One feature is tried first, with values from all over its range in the training; then two and three,
each time going on from what lowered the chance of the answered class most (a beam search). Of what
changes the class the least move is taken, in ranges of the training. The model itself is asked, so
what is found is true; that nothing is found does not say that there is nothing. Features that the
operator marked as `fixed` never move, nor do private ones, whose values are nobody's to see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from unrot.core.ports import Predictor
from unrot.core.records import Feature, Outputs, Row, Schema, Value

MOST_MOVED = 3
MOST_FEATURES, MOST_VALUES = 40, 9
BEAM = 10
Move = tuple[int, Value]


@dataclass(frozen=True, slots=True)
class Moved:
    """One feature, and where it would have to be."""

    feature: Feature
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Change:
    """What changes the answer, and to which class."""

    moved: Sequence[Moved]
    label: str


def find_change(
    predictor: Predictor,
    schema: Schema,
    rows: Sequence[Row],
    row: Row,
    first: Sequence[int],
    *,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Change | None:
    """Look for another class near a row, among the features that come first; None where none is."""
    place, until = _class_of(predictor.predict([row]), 0), clock() + seconds
    moves = _moves(schema, rows, row, first)
    beam: list[tuple[Move, ...]] = [()]
    for _ in range(MOST_MOVED):
        tried = _further(beam, moves)
        if not tried:
            return None
        outputs = predictor.predict([_with(row, some) for some in tried])
        found = [at for at in range(len(tried)) if _class_of(outputs, at) != place]
        if found:
            nearest = min(found, key=lambda at: _length(rows, row, tried[at]))
            return _change(schema, row, tried[nearest], _class_of(outputs, nearest))
        if clock() >= until:
            return None
        beam = _least_sure(tried, outputs, place)
    return None


def _moves(schema: Schema, rows: Sequence[Row], row: Row, first: Sequence[int]) -> list[Move]:
    free = [at for at in first if not schema.features[at].is_fixed | schema.features[at].is_private]
    return [
        (at, value)
        for at in free[:MOST_FEATURES]
        for value in _values(schema.features[at], [one[at] for one in rows])
        if value != row[at]
    ]


def _values(feature: Feature, column: Sequence[Value]) -> list[Value]:
    """Return values from all over the training: of numbers at even shares of it."""
    known = [value for value in column if value is not None]
    if feature.kind in ("number", "integer"):
        known.sort(key=float)
        return list(dict.fromkeys(_evenly(known)))
    return _evenly(sorted(set(known), key=str))


def _evenly(values: Sequence[Value]) -> list[Value]:
    if not values:
        return []
    places = np.linspace(0, len(values) - 1, min(MOST_VALUES, len(values))).round().astype(int)
    return [values[place] for place in places.tolist()]


def _further(beam: Sequence[tuple[Move, ...]], moves: Sequence[Move]) -> list[tuple[Move, ...]]:
    """Add each move to each of the beam that leaves its feature as it is, once in any order."""
    found: dict[frozenset[Move], tuple[Move, ...]] = {}
    for some in beam:
        taken = {at for at, _ in some}
        for move in moves:
            if move[0] not in taken:
                found.setdefault(frozenset({*some, move}), (*some, move))
    return list(found.values())


def _with(row: Row, moves: Sequence[Move]) -> Row:
    made = list(row)
    for at, value in moves:
        made[at] = value
    return made


def _class_of(outputs: Outputs, at: int) -> int:
    return -1 if outputs.classes is None else outputs.classes[at]


def _least_sure(
    tried: Sequence[tuple[Move, ...]], outputs: Outputs, place: int
) -> list[tuple[Move, ...]]:
    chances = outputs.probabilities
    if chances is None:
        return list(tried[:BEAM])
    order = sorted(range(len(tried)), key=lambda at: chances[at][place])
    return [tried[at] for at in order[:BEAM]]


def _length(rows: Sequence[Row], row: Row, moves: Sequence[Move]) -> float:
    """Return how far moves go: of numbers in ranges of the training, of anything else 1."""
    return sum(_apart(row[at], value, [one[at] for one in rows]) for at, value in moves)


def _apart(before: Value, after: Value, column: Sequence[Value]) -> float:
    numbers = (before, after, *(value for value in column if value is not None))
    if any(value is None or isinstance(value, str | bool) for value in numbers):
        return 1.0
    known = [float(value) for value in numbers if value is not None]
    return abs(known[0] - known[1]) / ((max(known[2:]) - min(known[2:])) or 1.0)


def _change(schema: Schema, row: Row, moves: Sequence[Move], place: int) -> Change:
    moved = [Moved(schema.features[at], row[at], value) for at, value in moves]
    return Change(moved, schema.classes[place])
