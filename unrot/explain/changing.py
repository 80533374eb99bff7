"""What would change an answer: few features moved, within the training, until it is another.

Another is another class, or a number that reaches the one that is wanted. One feature is tried
first, with values from all over its range in the training; then two and three, each time going on
from what lowered the chance of the answered class most, or came closest to the wanted number (a
beam search). Of what does it the least move is taken, in ranges of the training. The model itself
is asked, so what is found is true; that nothing is found does not say that there is nothing.
Features that the operator marked as `fixed` never move, nor do private ones, whose values are
nobody's to see.
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
    """What changes the answer, and to which class or number."""

    moved: Sequence[Moved]
    label: str | None
    value: float | None = None


def find_change(
    predictor: Predictor,
    schema: Schema,
    rows: Sequence[Row],
    row: Row,
    first: Sequence[int],
    *,
    seconds: float,
    wanted: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Change | None:
    """Look for another class near a row, or the wanted number, among the features that come first.

    None where there is none near; nothing is moved where the wanted number is the answer already.
    """
    goal, until = _Goal.of(predictor.predict([row]), wanted), clock() + seconds
    if goal.value == goal.wanted is not None:
        return Change([], None, goal.value)
    moves = _moves(schema, rows, row, first)
    beam: list[tuple[Move, ...]] = [()]
    for _ in range(MOST_MOVED):
        tried = _further(beam, moves)
        if not tried:
            return None
        outputs = predictor.predict([_with(row, some) for some in tried])
        found = [at for at in range(len(tried)) if goal.is_reached(outputs, at)]
        if found:
            nearest = min(found, key=lambda at: _length(rows, row, tried[at]))
            return _nearer(predictor, schema, rows, row, goal, tried[nearest])
        if clock() >= until:
            return None
        beam = goal.closest(tried, outputs)
    return None


def _moves(schema: Schema, rows: Sequence[Row], row: Row, first: Sequence[int]) -> list[Move]:
    free = [at for at in first if schema.features[at].may_vary]
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


@dataclass(frozen=True, slots=True)
class _Goal:
    """What is looked for: another class than this one, or a number on the other side of one."""

    place: int
    value: float | None
    wanted: float | None

    @classmethod
    def of(cls, answer: Outputs, wanted: float | None) -> _Goal:
        value = None if answer.values is None else answer.values[0]
        return cls(-1 if answer.classes is None else answer.classes[0], value, wanted)

    def is_reached(self, outputs: Outputs, at: int) -> bool:
        if self.value is None or self.wanted is None or outputs.values is None:
            return outputs.classes is not None and outputs.classes[at] != self.place
        if self.wanted > self.value:
            return outputs.values[at] >= self.wanted
        return outputs.values[at] <= self.wanted

    def closest(
        self, tried: Sequence[tuple[Move, ...]], outputs: Outputs
    ) -> list[tuple[Move, ...]]:
        """Return the beginning of those that are closest to the goal."""
        values, chances = outputs.values, outputs.probabilities
        if values is not None and self.wanted is not None:
            far = [abs(value - self.wanted) for value in values]
        elif chances is not None:
            far = [shares[self.place] for shares in chances]
        else:
            return list(tried[:BEAM])
        return [tried[at] for at in sorted(range(len(tried)), key=far.__getitem__)[:BEAM]]


def _length(rows: Sequence[Row], row: Row, moves: Sequence[Move]) -> float:
    """Return how far moves go: of numbers in ranges of the training, of anything else 1."""
    return sum(_apart(row[at], value, [one[at] for one in rows]) for at, value in moves)


def _apart(before: Value, after: Value, column: Sequence[Value]) -> float:
    numbers = (before, after, *(value for value in column if value is not None))
    if any(value is None or isinstance(value, str | bool) for value in numbers):
        return 1.0
    known = [float(value) for value in numbers if value is not None]
    return abs(known[0] - known[1]) / ((max(known[2:]) - min(known[2:])) or 1.0)


def _nearer(
    predictor: Predictor,
    schema: Schema,
    rows: Sequence[Row],
    row: Row,
    goal: _Goal,
    moves: tuple[Move, ...],
) -> Change:
    """Take back of each number what is not needed: any value that the training has will do."""
    for nth, (place, after) in enumerate(moves):
        nearer = _between(schema.features[place], row[place], after, [one[place] for one in rows])
        tried = [(*moves[:nth], (place, value), *moves[nth + 1 :]) for value in nearer]
        if tried:
            outputs = predictor.predict([_with(row, some) for some in tried])
            enough = (some for at, some in enumerate(tried) if goal.is_reached(outputs, at))
            moves = next(enough, moves)
    return _change(schema, row, moves, predictor.predict([_with(row, moves)]), 0)


def _between(feature: Feature, before: Value, after: Value, column: Sequence[Value]) -> list[Value]:
    """Return the values of the training between two numbers, the nearest to the first one first."""
    if feature.kind not in ("number", "integer") or before is None or after is None:
        return []
    start, end = float(before), float(after)
    low, high = min(start, end), max(start, end)
    near = {value for value in column if value is not None and low < float(value) < high}
    return sorted(near, key=lambda value: abs(float(value or 0.0) - start))


def _change(schema: Schema, row: Row, moves: Sequence[Move], outputs: Outputs, at: int) -> Change:
    moved = [Moved(schema.features[place], row[place], value) for place, value in moves]
    if outputs.values is not None:
        return Change(moved, None, outputs.values[at])
    return Change(moved, schema.classes[(outputs.classes or [])[at]])
